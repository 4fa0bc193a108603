"""Orders as both sides have them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from kernel.fix import OrdStatus
from kernel.numbers import ZERO

LIVE = frozenset({"0", "1", "3", "6", "7", "9", "A", "B", "D", "E"})
"""OrdStatus values under which an order may still trade at the venue."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How an order stands: the venue's word, and quantities in units. ``order_qty`` None: nobody has said."""

    status: str
    order_qty: Decimal | None
    cum_qty: Decimal
    leaves_qty: Decimal
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class OurOrder:
    """An order of ours that reached the venue. ``then`` is how it stood at the file's cut, where it has moved since.

    ``expected``: the file should list it. ``agreed``: it does, and agrees at first sight. ``names`` are all it was sent under,
    in the order of its requests.
    """

    id: UUID
    ref: str
    now: Figures
    side: str
    ord_type: str
    time_in_force: str
    account_id: UUID
    account: str
    instrument_id: UUID
    isin: str
    symbol: str
    mic: str
    currency: str
    divisor: int
    entered_at: datetime
    updated_at: datetime
    trade_date: date
    cl_ord_id: str = ""
    venue_order_id: str = ""
    names: tuple[str, ...] = ()
    then: Figures | None = None
    expected: bool = True
    agreed: bool = False
    answered: bool = True
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TheirOrder:
    """A row of the file; None and empty: it does not say, or the name is none of ours."""

    line: int
    status: str
    order_qty: Decimal
    cum_qty: Decimal | None = None
    leaves_qty: Decimal | None = None
    price: Decimal | None = None
    cl_ord_id: str = ""
    orig_cl_ord_id: str = ""
    venue_order_id: str = ""
    order_id: UUID | None = None
    account: str = ""
    account_id: UUID | None = None
    instrument: str = ""
    instrument_id: UUID | None = None
    money: str = ""
    divisor: int = 1
    side: str = ""
    ord_type: str = ""
    time_in_force: str = ""
    transact_time: datetime | None = None

    @property
    def word(self) -> str:
        """Its status; a replaced order works on under its new terms, and what it executed says as what."""
        if self.status != OrdStatus.REPLACED:
            return self.status
        return OrdStatus.PARTIALLY_FILLED.value if (self.cum_qty or ZERO) > ZERO else OrdStatus.NEW.value

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def figures(self) -> tuple[Any, ...]:
        """All that two lines of one order must share to be the same line twice."""
        return (self.status, self.order_qty, self.cum_qty, self.leaves_qty, self.price, self.side, self.transact_time)
