"""Say who an order is for, before it trades. From the first execution on it would be a choice made with the prices known.

The order's lock decides which came first: a report that is being applied holds it too. Said again with other words while
nothing was executed, the newest counts; the same words again change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.models import TradingAccount
from accounts.selectors import visible_accounts
from allocations.domain.methods import (
    lines_to_json,
    parameters_to_json,
    read_lines,
    read_method,
    read_parameters,
)
from allocations.models import IntendedAllocation, WashAccount
from allocations.permissions import require_allocate
from authorisation.domain.principal import TRADE_DESK, Principal
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted
from kernel.ids import new_id
from orders.locks import lock_orders
from orders.models import Execution, Order
from orders.selectors import get_order


def intend_allocation(
    *,
    actor: Principal,
    at: datetime,
    order_id: UUID,
    method: str,
    lines: Sequence[Mapping[str, Any]],
    parameters: Mapping[str, Any] | None = None,
    scheme: str = "",
) -> IntendedAllocation:
    """Stamp it; returns the version that counts now.

    Raises NotPermitted (RIGHT_MISSING, TRADE_NOT_GRANTED), NotFound (ORDER_UNKNOWN, ACCOUNT_UNKNOWN), Invalid
    (METHOD_UNKNOWN, LINES_INVALID, LINES_MISSING, PARAMETERS_INVALID), Conflict (NOT_A_BLOCK_ORDER, INTENT_LATE).
    """
    require_allocate(actor)
    words = read_method(method)
    stated = read_lines(words, lines)
    if not stated:
        raise Invalid("LINES_MISSING", "Name at least one account that the order is for.")
    body = {
        "method": words.value,
        "scheme": scheme,
        "lines": lines_to_json(words, stated),
        "parameters": parameters_to_json(read_parameters(parameters or {})),
    }
    order = _order(actor, order_id)
    _require_accounts(actor, {line.account for line in stated})
    with transaction.atomic():
        order = lock_orders([order.id])[order.id]
        last = IntendedAllocation.objects.filter(order_id=order.id).order_by("-version").first()
        if last is not None and _words_of(last) == body:
            return last
        _require_untraded(order)
        event_id = new_id()
        made = IntendedAllocation.objects.create(
            order_id=order.id,
            version=last.version + 1 if last else 1,
            stamped_by=actor.actor,
            stamped_at=at,
            event_id=event_id,
            **body,
        )
        payload = {"order_id": str(order.id), "version": made.version, **body}
        append_to_stream(drafts=[_draft(order, event_id, payload, actor, at)], at=at)
        return made


def _order(actor: Principal, order_id: UUID) -> Order:
    if actor.is_process:
        order = Order.objects.filter(pk=order_id).first()
        if order is None:
            raise NotFound("ORDER_UNKNOWN", "There is no such order.")
    else:
        order = get_order(actor=actor, order_id=order_id)
        if order.desk_id not in actor.granted(TRADE_DESK):
            raise NotPermitted("TRADE_NOT_GRANTED", "You may see this order but not say who it is for.")
    if not WashAccount.objects.filter(pk=order.account_id).exists():
        raise Conflict("NOT_A_BLOCK_ORDER", "The order is for one account already: there is nothing to allocate.")
    return order


def _require_accounts(actor: Principal, codes: set[str]) -> None:
    seen = TradingAccount.objects.all() if actor.is_process else visible_accounts(actor)
    missing = sorted(codes - set(seen.filter(code__in=codes).values_list("code", flat=True)))
    if missing:
        raise NotFound(
            "ACCOUNT_UNKNOWN", f"There is no account {missing[0]!r} that you may see.", {"accounts": missing[:20]}
        )


def _require_untraded(order: Order) -> None:
    if Execution.objects.filter(Q(order_id=order.id) | Q(order__root_id=order.id)).exists():
        raise Conflict(
            "INTENT_LATE",
            "The order has traded: who gets what is said when its block is booked, with a reason, and decided by a second person.",
        )


def _words_of(kept: IntendedAllocation) -> dict[str, Any]:
    return {"method": kept.method, "scheme": kept.scheme, "lines": kept.lines, "parameters": kept.parameters}


def _draft(order: Order, event_id: UUID, payload: Mapping[str, Any], actor: Principal, at: datetime) -> EventDraft:
    return EventDraft(
        id=event_id,
        stream=f"block-order:{order.id}",
        kind="AllocationIntended",
        actor=actor.actor,
        correlation_id=order.correlation_id,
        event_at=at,
        received_at=at,
        business_date=order.trade_date,
        payload=payload,
        on_behalf_of=actor.on_behalf_of,
    )
