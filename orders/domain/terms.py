"""What a person or a system asks for, normalised: the same shape behind every door."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from kernel.fix import OrdType, Side, TimeInForce

DISCRETIONS = {
    "": "None: as instructed",
    "price": "Over the price",
    "time": "Over the time",
    "price_and_time": "Over price and time",
}
"""What the client left to the dealer."""


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """A new order. Quantities in units, prices in the listing's price unit (pence are not pounds).

    ``instructed_by`` is who at the client gave it, at ``instructed_at``; ``discretion`` one of ``DISCRETIONS``.
    """

    account: str
    symbol: str
    side: Side
    ord_type: OrdType
    order_qty: Decimal
    time_in_force: TimeInForce = TimeInForce.DAY
    price: Decimal | None = None
    stop_px: Decimal | None = None
    min_qty: Decimal | None = None
    max_floor: Decimal | None = None
    expire_at: datetime | None = None
    expire_date: date | None = None
    locate_ref: str = ""
    client_order_id: str = ""
    capacity: str = "A"
    strategy: str = ""
    parent_id: UUID | None = None
    instructed_at: datetime | None = None
    instructed_by: str = ""
    discretion: str = ""


@dataclass(frozen=True, slots=True)
class ReplaceTerms:
    """The whole of what should hold after the replace; None leaves a term as it is. ``order_qty`` is total, executed included."""

    order_qty: Decimal | None = None
    price: Decimal | None = None
    stop_px: Decimal | None = None
    time_in_force: TimeInForce | None = None
    expire_at: datetime | None = None
    expire_date: date | None = None
    min_qty: Decimal | None = None
    max_floor: Decimal | None = None
