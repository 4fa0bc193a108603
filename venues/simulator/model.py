"""The words of the book: orders as it keeps them, phases, and what it answers with. All plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kernel.fix import OrdType, TimeInForce


class Phase(StrEnum):
    """What a listing does at the moment."""

    CLOSED = "closed"
    PRE_OPEN = "pre_open"
    CONTINUOUS = "continuous"
    CLOSING_CALL = "closing_call"
    HALTED = "halted"

    @property
    def is_call(self) -> bool:
        """Orders are collected and not matched until the auction at its end."""
        return self in (Phase.PRE_OPEN, Phase.CLOSING_CALL)


class Gone(StrEnum):
    """Why the book let an order go without its owner asking."""

    IMMEDIATE_REMAINDER = "immediate_remainder"
    FILL_OR_KILL = "fill_or_kill"
    NO_LIQUIDITY = "no_liquidity"
    MINIMUM_QUANTITY = "minimum_quantity"
    AUCTION_OVER = "auction_over"


@dataclass(slots=True)
class BookOrder:
    """One order in a book. Quantities and prices in units of 1e-8; ``display`` 0 shows everything.

    ``sequence`` is its time priority: new with each entry, refresh of the shown part, or replace that loses its place.
    """

    key: str
    is_buy: bool
    ord_type: OrdType
    time_in_force: TimeInForce
    qty: int
    price: int | None = None
    stop_px: int | None = None
    min_qty: int = 0
    display: int = 0
    cum: int = 0
    shown: int = 0
    triggered: bool = False
    sequence: int = 0

    @property
    def leaves(self) -> int:
        """What is still to be executed."""
        return self.qty - self.cum

    @property
    def is_stop(self) -> bool:
        """A stop that has not been triggered: invisible to the market."""
        return self.stop_px is not None and not self.triggered

    def show(self) -> None:
        """Uncover the next part of an iceberg, or everything."""
        self.shown = min(self.display, self.leaves) if self.display else self.leaves


@dataclass(frozen=True, slots=True)
class Traded:
    """One match. ``taker`` is the key of the order that came last, empty in an auction."""

    buy: str
    sell: str
    px: int
    qty: int
    taker: str


@dataclass(frozen=True, slots=True)
class Removed:
    """The book let an order go with ``leaves`` unexecuted."""

    key: str
    leaves: int
    why: Gone


@dataclass(frozen=True, slots=True)
class Triggered:
    """A stop became active."""

    key: str


BookEvent = Traded | Removed | Triggered
