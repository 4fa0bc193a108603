"""What lies in suspense, decided from its exception: accept it, or tell the venue that we do not know it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Conflict
from operations.models import ExceptionItem
from operations.selectors.exceptions import get_exception
from operations.selectors.suspense import OVERFILL, UNKNOWN_ORDER
from operations.views.edge import page
from operations.views.exceptions import DETAIL, detail_of
from orders.services.accept_excess import accept_excess
from orders.services.accept_unknown_order import accept_unknown_order
from orders.services.answer_dk import answer_dk
from venues.selectors import get_session_group

ROUTE = "suspense"


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
    return render(request, DETAIL, detail_of(item, actor) | {"asked": sentence})
