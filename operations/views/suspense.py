"""What lies in suspense, decided from its exception: accept it, or tell the venue that we do not know it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from authorisation.domain.principal import ENTER_ORDER, Principal
from kernel.clock import utc_now
from kernel.errors import Conflict, NotPermitted
from kernel.ids import new_id
from operations.models import ExceptionItem
from operations.selectors.queues import get_exception
from operations.views.edge import actor_may, page
from orders.models import Order
from orders.permissions import require_trading
from orders.services.accept_excess import accept_excess
from orders.services.accept_unknown_order import accept_unknown_order
from orders.services.answer_dk import answer_dk
from venues.selectors import get_session_group

OVERFILL, UNKNOWN_ORDER = "OVERFILL", "UNKNOWN_ORDER"
ROUTE = "suspense"


def suspense_of(item: ExceptionItem, actor: Principal) -> dict[str, Any]:
    """What the page offers on an exception: which form, and why it is not this actor's to ask."""
    if item.state != ExceptionItem.State.OPEN or item.kind not in (OVERFILL, UNKNOWN_ORDER):
        return {}
    return {"in_suspense": item.kind, "why_not_asking": _why_not(item, actor), "key": str(new_id())}


def _why_not(item: ExceptionItem, actor: Principal) -> str:
    if not actor_may(actor, ENTER_ORDER):
        return "Your role may not enter orders."
    if item.order_id is None:
        return ""
    order = Order.objects.select_related("account").get(id=item.order_id)
    try:
        require_trading(actor, desk_id=order.desk_id, group_id=order.account.group_id)
    except NotPermitted as error:
        return error.sentence
    return ""


@require_POST
@page
def accept(request: HttpRequest, actor: Principal, item_id: UUID) -> HttpResponse:
    """Ask a second person to accept the excess, or to take an unknown order for an account."""
    item = _decidable(actor, item_id)
    data, at = request.POST, utc_now()
    reason, key = str(data.get("reason", "")), str(data.get("key", ""))
    if item.order_id is not None:
        asked = accept_excess(
            actor=actor, at=at, idempotency_key=key, route=ROUTE, order_id=item.order_id, reason=reason
        )
    else:
        asked = accept_unknown_order(
            actor=actor,
            at=at,
            idempotency_key=key,
            route=ROUTE,
            unknown_id=UUID(item.evidence["unknown_id"]),
            account=str(data.get("account", "")),
            session_group=get_session_group(item.evidence["session"]),
            reason=reason,
        )
    return _answer(request, actor, item, asked.sentence)


@require_POST
@page
def disown(request: HttpRequest, actor: Principal, item_id: UUID) -> HttpResponse:
    """Ask a second person to tell the venue that we do not know the trades."""
    item = _decidable(actor, item_id)
    data = request.POST
    about = {"order_id": item.order_id} if item.order_id else {"unknown_id": UUID(item.evidence["unknown_id"])}
    asked = answer_dk(
        actor=actor,
        at=utc_now(),
        idempotency_key=str(data.get("key", "")),
        route=ROUTE,
        reason=str(data.get("reason", "")),
        **about,
    )
    return _answer(request, actor, item, asked.sentence)


def _decidable(actor: Principal, item_id: UUID) -> ExceptionItem:
    """The exception; that it is over is the doors' to say, who also know a repeated key."""
    item = get_exception(actor=actor, item_id=item_id)
    if item.kind not in (OVERFILL, UNKNOWN_ORDER):
        raise Conflict("NOTHING_IN_SUSPENSE", "Nothing of this exception lies in suspense.")
    return item


def _answer(request: HttpRequest, actor: Principal, item: ExceptionItem, sentence: str) -> HttpResponse:
    context = {"item": item, "at": utc_now(), "asked": sentence, **suspense_of(item, actor)}
    return render(request, "operations/parts/exception_detail.html", context)
