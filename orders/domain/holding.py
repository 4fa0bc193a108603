"""What an order holds of its account: enough for its leaves, and for those of a replace the venue has not answered.

Charges of the rest of a buy are held with it (``risk.domain.exposure``).

Invariant: held = 0 for an order that is over; otherwise the largest of what holds now and what each open replace asks for.
A staged replace (``staging``) outlives its order: what it asks for stays held until that is entered anew or given up.
A filled order is over only once no replace of it is open: the venue may accept one and work it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.arithmetic import HoldAmounts
from accounts.domain.fees import FeeSet
from kernel.fix import OrdType, Side
from orders.domain.staging import is_staged
from risk.domain.exposure import Priced

OPEN_STATES = frozenset({"captured", "pending_authorisation", "released", "handed_over", "unknown"})
"""States in which a request may still take effect."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Quantity (total, executed included) and prices an open replace asks for."""

    order_qty: Decimal
    price: Decimal | None
    stop_px: Decimal | None
    staged: bool = False


def priced_of(
    *,
    side: str,
    ord_type: str,
    price: Decimal | None,
    stop_px: Decimal | None,
    snapshot: Mapping[str, Any],
    fees: FeeSet,
) -> Priced:
    """Pricing of an order by its instrument snapshot: the reference price stays the one it was checked with.

    ``fees`` are the terms its rest is charged by.
    """
    last = snapshot["reference_price"]
    return Priced(
        side=Side(side),
        ord_type=OrdType(ord_type),
        price=price,
        stop_px=stop_px,
        last=Decimal(last) if last is not None else None,
        currency=snapshot["currency"],
        price_divisor=snapshot["price_divisor"],
        fees=fees,
    )


def held_for(
    terms: Priced,
    *,
    leaves_qty: Decimal,
    cum_qty: Decimal,
    is_open: bool,
    is_filled: bool = False,
    asked: Iterable[Asked] = (),
) -> HoldAmounts:
    """What the order holds from now on: cash in the listing's currency, stock in units."""
    is_over = not is_open and not is_filled
    held = HoldAmounts() if is_over else terms.hold(leaves_qty, cum_qty) or HoldAmounts()
    for wish in asked:
        if is_over and not wish.staged:
            continue
        wanted = replace(terms, price=wish.price, stop_px=wish.stop_px)
        held = held.worse(wanted.hold(wish.order_qty - cum_qty, cum_qty) or HoldAmounts())
    return held


def asked_of(payload: Mapping[str, Any]) -> Asked:
    """What the payload of a replace asks for (whole terms, decimals as text)."""
    price, stop_px = payload.get("price"), payload.get("stop_px")
    return Asked(
        order_qty=Decimal(payload["order_qty"]),
        price=Decimal(price) if price is not None else None,
        stop_px=Decimal(stop_px) if stop_px is not None else None,
        staged=is_staged(payload),
    )


def instrument_of(snapshot: Mapping[str, Any]) -> UUID:
    """The instrument an order is in."""
    return UUID(snapshot["instrument_id"])
