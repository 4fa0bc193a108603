"""End a released request that has not left the house: refused, what it held is let go, its maker is told by the event."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from orders.domain.transitions import ENDED_BY_US
from orders.models import OrderRequest
from orders.services._holds import lock_for_request, set_hold
from orders.services._moving import Said, close_unsent, move_request, record, show_request_state, who

ACTOR = "process:gateway"


def refuse_unsent(*, request_id: UUID, at: datetime, code: str, sentence: str) -> None:
    """Refuse it with ``code`` and ``sentence``; ended by us before (refused, withdrawn), nothing changes.

    Raises NotFound REQUEST_UNKNOWN, Conflict REQUEST_MOVED_ON when it was handed over, or answered.
    """
    with transaction.atomic():
        order, request, requests = lock_for_request(request_id)
        if request.state in ENDED_BY_US:
            return
        move_request(request, OrderRequest.State.REFUSED, code=code, text=sentence, answered_at=at)
        if request.kind == OrderRequest.Kind.NEW:
            close_unsent(order)
        show_request_state(order, requests)
        payload = {**who(order, request), "code": code, "sentence": sentence}
        record(
            order, [Said("RequestNotSent", payload, ACTOR)], at=at, changed=["request_state", "is_open", "leaves_qty"]
        )
        set_hold(order, requests, at=at)
