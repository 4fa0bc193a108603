"""End requests for which nobody decided in time. One transaction each, so that locks keep the house order."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.services.end_withdrawal import KIND as WITHDRAWAL
from accounts.services.end_withdrawal import end_withdrawal
from authorisation.services.lapse_requests import lapse_requests
from orders.models import OrderRequest
from orders.services._authorise import KIND
from orders.services._cancel_review import KIND as REVIEW
from orders.services._cancel_review import tell
from orders.services._holds import lock_for_request, set_hold
from orders.services._moving import Said, close_unsent, move_request, record, show_request_state, who

ACTOR = "process:lapse"


def lapse_order_requests(*, at: datetime, limit: int = 200) -> int:
    """Lapse up to ``limit`` authorisation requests that are over their time, and what they were about. Returns how many."""
    for done in range(limit):
        with transaction.atomic():
            lapsed = lapse_requests(at=at, limit=1)
            if not lapsed:
                return done
            if lapsed[0].kind == KIND:
                _lapse(UUID(lapsed[0].subject_id), at)
            elif lapsed[0].kind == WITHDRAWAL:
                end_withdrawal(lapsed[0].payload, why="Nobody decided in time.", actor=ACTOR, at=at)
            elif lapsed[0].kind == REVIEW:
                ref = lapsed[0].payload["ref"]
                sentence = f"Nobody looked at the cancel of {ref} in time."
                tell(lapsed[0].id, ref=ref, kind="CANCEL_UNREVIEWED", sentence=sentence, actor=ACTOR, at=at)
    return limit


def _lapse(request_id: UUID, at: datetime) -> None:
    order, request, requests = lock_for_request(request_id)
    if request.state != OrderRequest.State.PENDING_AUTHORISATION:
        return
    sentence = "Nobody decided in time."
    move_request(request, OrderRequest.State.LAPSED, code="LAPSED", text=sentence, answered_at=at)
    if request.kind == OrderRequest.Kind.NEW:
        close_unsent(order)
    show_request_state(order, requests)
    said = Said("RequestLapsed", {**who(order, request), "code": request.outcome_code, "sentence": sentence}, ACTOR)
    record(order, [said], at=at, changed=["request_state", "is_open", "leaves_qty"])
    set_hold(order, requests, at=at)
