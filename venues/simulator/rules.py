"""What the venue refuses, and with which code: entry rules by phase, order type, quantity and price. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kernel.fix import OrdType, TimeInForce
from venues.simulator.commands import NewOrder
from venues.simulator.listing import ListingSpec
from venues.simulator.model import Phase
from venues.simulator.units import to_text

UNKNOWN_SYMBOL = "1"
EXCHANGE_CLOSED = "2"
TOO_LATE_TO_ENTER = "4"
DUPLICATE_ORDER = "6"
UNSUPPORTED = "11"
INCORRECT_QUANTITY = "13"
OTHER = "99"

_WITH_PRICE = (OrdType.LIMIT, OrdType.STOP_LIMIT)
_WITH_STOP = (OrdType.STOP, OrdType.STOP_LIMIT)
_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)
_AUCTION_ONLY = (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)


@dataclass(frozen=True, slots=True)
class No:
    """A refusal: OrdRejReason (103) and a sentence."""

    reason: str
    text: str


def entry_refusal(
    order: NewOrder, listing: ListingSpec, phase: Phase, *, at: datetime, parks_at_open: bool
) -> No | None:
    """Why a new order is not accepted, or None. ``parks_at_open``: at-open orders may wait for the next opening."""
    return (
        _phase_refusal(order, phase, parks_at_open=parks_at_open)
        or _shape_refusal(order, at)
        or quantity_refusal(order.order_qty, order.min_qty, order.max_floor, listing)
        or price_refusal(order.ord_type, order.price, order.stop_px, listing)
    )


def _phase_refusal(order: NewOrder, phase: Phase, *, parks_at_open: bool) -> No | None:
    if phase is Phase.CLOSED:
        return No(EXCHANGE_CLOSED, "The market is closed")
    if phase is Phase.HALTED:
        return No(EXCHANGE_CLOSED, "The instrument is halted")
    if phase.is_call and (order.time_in_force in _IMMEDIATE or order.min_qty):
        return No(UNSUPPORTED, "Immediate orders and minimum quantities need continuous trading")
    late = phase is Phase.CLOSING_CALL or (phase is Phase.CONTINUOUS and not parks_at_open)
    if order.time_in_force is TimeInForce.AT_OPEN and late:
        return No(TOO_LATE_TO_ENTER, "The opening auction is over")
    return None


def _shape_refusal(order: NewOrder, at: datetime) -> No | None:
    if order.time_in_force in _AUCTION_ONLY and (order.ord_type in _WITH_STOP or order.max_floor or order.min_qty):
        return No(UNSUPPORTED, "Auction orders take no stop price, minimum or displayed quantity")
    if order.max_floor and order.ord_type not in _WITH_PRICE:
        return No(UNSUPPORTED, "A displayed quantity needs a limit price")
    if order.time_in_force is TimeInForce.GTD:
        if order.expire_at is None and order.expire_date is None:
            return No(OTHER, "GTD needs ExpireDate or ExpireTime")
        if (order.expire_at is not None and order.expire_at <= at) or (
            order.expire_at is None and order.expire_date is not None and order.expire_date < at.date()
        ):
            return No(OTHER, "The expiry is in the past")
    return None


def quantity_refusal(qty: int, min_qty: int, max_floor: int, listing: ListingSpec) -> No | None:
    """Why a quantity is not accepted, or None."""
    if qty <= 0 or qty % listing.lot:
        return No(INCORRECT_QUANTITY, f"OrderQty {to_text(qty)} is not a positive multiple of {to_text(listing.lot)}")
    if min_qty < 0 or min_qty > qty or max_floor < 0 or max_floor > qty or max_floor % listing.lot:
        return No(INCORRECT_QUANTITY, "MinQty and MaxFloor must lie within OrderQty, MaxFloor in whole lots")
    return None


def price_refusal(ord_type: OrdType, price: int | None, stop_px: int | None, listing: ListingSpec) -> No | None:
    """Why prices do not fit the order type or the tick table, or None."""
    for name, value, wanted in (("Price", price, ord_type in _WITH_PRICE), ("StopPx", stop_px, ord_type in _WITH_STOP)):
        if wanted and value is None:
            return No(OTHER, f"{name} is missing")
        if not wanted and value is not None:
            return No(OTHER, f"{name} does not belong to this order type")
        if value is not None and not listing.on_tick(value):
            return No(OTHER, f"{name} {to_text(value)} is not on the tick of {to_text(listing.tick_at(value))}")
    return None
