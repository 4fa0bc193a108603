"""What the simulation asks of a house, and the figures by which two houses and the venue's truth are compared.

Two houses exist: the pure core with a model of our own pipeline around it (``pure_house``), and the real services on a
real database (``database_house``). Both are driven by the same calls in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple, Protocol

from venues.simulation.wire import Arrival

CRASHES = ("", "before_commit", "after_commit", "after_send")


class Crash(Exception):
    """Our process dies here. What was committed stays, everything else is gone."""


class RequestView(NamedTuple):
    """One request by its place in the order (the NEW is 1), its kind and our state of it."""

    seq: int
    kind: str
    state: str
    cl_ord_id: str


class OrderView(NamedTuple):
    """An order as the house shows it; ``executions`` are (quantity, price) as the venue states them, busted ones as (0, 0).

    ``booked`` are the same in shares of their day, ``days`` are the trade dates of the executions, ``cash`` and ``stock`` what they
    have moved, ``fees`` what they were charged, ``hold_cash`` and ``hold_stock`` what it keeps back.
    """

    ord_status: str | None
    order_qty: Decimal | None
    cum_qty: Decimal
    leaves_qty: Decimal
    avg_px: Decimal
    price: Decimal | None
    cl_ord_id: str
    is_open: bool
    overfilled: bool
    requests: tuple[RequestView, ...]
    executions: tuple[tuple[Decimal, Decimal], ...]
    booked: tuple[tuple[Decimal, Decimal], ...]
    hold_cash: Decimal
    hold_stock: Decimal
    cash: Decimal
    stock: Decimal
    days: tuple[date, ...]
    fees: Decimal
    anomalies: frozenset[str]  # kinds of the open ones of this order


class MoneyView(NamedTuple):
    """The account: cash moved since the start, cash reserved, and the same of the stock of both listings together."""

    cash: Decimal
    cash_reserved: Decimal
    stock: Decimal
    stock_reserved: Decimal


class House(Protocol):
    """``tick`` is the moment, ``day`` the trading day (from 1). None answers mean that our own doors refused."""

    def capture(self, index: int, tick: int) -> str | None:
        """Enter order ``index`` of the world; its ClOrdID."""

    def replace(self, index: int, qty: int, px: int | None, tick: int) -> str | None:
        """Ask for these whole terms; the ClOrdID of the request."""

    def cancel(self, index: int, tick: int) -> str | None:
        """Ask for a cancel; the ClOrdID of the request, "" when it completed here."""

    def hand_over(self, tick: int, crash: str) -> list[str]:
        """Give the engine what waits; the raw messages it was given. Raises Crash where told to."""

    def ask(self, tick: int) -> list[str]:
        """Mark what is unanswered as unknown; the status requests about it, raw."""

    def begin_epoch(self, epoch: int) -> None:
        """Logged on with new numbers, both ways."""

    def store(self, arrivals: Sequence[Arrival], day: int, tick: int) -> None:
        """What came over the session becomes rows of the inbox."""

    def consume(self, limit: int, tick: int, crash: str) -> None:
        """Work at most so many rows of the inbox. Raises Crash where told to."""

    def worked(self) -> int:
        """How many of the rows ever stored are behind the inbox's cursor."""

    def restart(self, tick: int) -> None:
        """The process comes back and knows what was committed, no more."""

    def look(self, index: int) -> OrderView | None:
        """The order, or None when it was never captured."""

    def money(self) -> MoneyView:
        """The account all orders trade for."""

    def open_matters(self) -> frozenset[str]:
        """Kinds of the open anomalies that are not about one order."""
