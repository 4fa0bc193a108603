"""Listener: a limit was lowered under what is open, or such a limit for a time began. The orders are listed; where the
change says so, the newest are canceled.

Each is canceled for its owner by our process, under a key made of the change, so a repetition asks for nothing twice. Which
orders no longer fit is said to a person either way, and which of them could not be canceled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from authorisation.models import User
from authorisation.selectors import get_principal
from journal.domain.records import Anomaly, EventRecord, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.errors import OmsError
from kernel.numbers import ZERO
from orders.models import Order
from orders.services.cancel_order import cancel_order
from risk.domain.limit_change import CANCEL
from risk.domain.usage import COUNTED_KINDS, OPEN_ORDERS
from risk.models import OrderUsage
from risk.selectors.breaches import business_dates, newest_orders, used_most
from risk.selectors.usage import read_usage

ACTOR, ROUTE = "process:limits", "limits"
LIMIT_LOWERED = "LIMIT_LOWERED"
BEGAN = "LimitBegan"
MOST = 500


def handle(events: Sequence[EventRecord]) -> None:
    """Called in one transaction with the cursor, in order of position. The same event again cancels nothing more."""
    for event in events:
        told = event.payload
        dated = told["effective_from"] is not None or told["effective_until"] is not None
        if told["hard"] is not None and dated == (event.kind == BEGAN):
            beyond = _beyond(told, event.recorded_at)
            if beyond:
                _settle(told, beyond, event.recorded_at)


def _beyond(told: Mapping[str, Any], at: datetime) -> list[UUID]:
    """The open orders that no longer fit, newest first: of a sum so many that the rest fits, else each that is too large."""
    ids = newest_orders(told["scope"], told["scope_id"], limit=MOST)
    shares = OrderUsage.objects.in_bulk(list(ids))
    if told["kind"] not in COUNTED_KINDS:
        return [one for one in ids if _size(told, shares[one]) > Decimal(told["hard"])]
    excess, found = _excess(told, at), []
    for order_id in ids:
        if excess <= ZERO:
            break
        share = shares[order_id]
        excess -= Decimal(1) if told["kind"] == OPEN_ORDERS else share.open_value * share.rate
        found.append(order_id)
    return found


def _size(told: Mapping[str, Any], share: OrderUsage) -> Decimal:
    """What a limit on one order bounds: units, or the value in its own currency."""
    if told["kind"] == "order_qty":
        return share.open_qty
    return share.open_value if told["kind"] == "order_notional" and told["currency"] == share.currency else ZERO


def _settle(told: Mapping[str, Any], beyond: Sequence[UUID], at: datetime) -> None:
    """Cancel them where the change says so, and say to a person which orders those are."""
    orders = Order.objects.in_bulk(beyond)
    asked = [one for one in beyond if told["on_breach"] == CANCEL and _cancel(orders[one], told, at)]
    refs = [orders[one].ref for one in beyond]
    done = f"{len(asked)} of them are being canceled" if told["on_breach"] == CANCEL else "they are kept"
    anomaly = Anomaly(
        kind=LIMIT_LOWERED,
        severity=Severity.MEDIUM,
        subject_type="limit",
        subject_id=str(told["limit_id"]),
        sentence=f"{len(refs)} open orders no longer fit a lowered limit of the {told['scope']}; {done}: {', '.join(refs[:5])} …",
        dedupe_key=f"limit-lowered:{told['authorisation_id']}",
        evidence={"orders": refs, "canceling": [orders[one].ref for one in asked], "change": dict(told)},
    )
    set_anomaly(anomaly=anomaly, wrong=True, actor=ACTOR, at=at)


def _excess(told: Mapping[str, Any], at: datetime) -> Decimal:
    """How far the scope is beyond the new limit."""
    found = read_usage([(told["scope"], told["scope_id"])])
    used = used_most(found[0], told["kind"], business_dates(at)) if found else None
    return used - Decimal(told["hard"]) if used is not None else ZERO


def _cancel(order: Order, told: Mapping[str, Any], at: datetime) -> bool:
    """Whether its end was asked for. Not where its owner may cancel no more, or a cancel is on its way already."""
    owner = get_principal(User.objects.get(pk=order.owner_id))
    try:
        cancel_order(
            actor=replace(owner, actor=ACTOR, on_behalf_of=owner.actor),
            at=at,
            idempotency_key=f"{told['authorisation_id']}:{order.id}",
            route=ROUTE,
            order_id=order.id,
            reason="A limit was lowered below what is open.",
        )
    except OmsError:
        return False
    return True
