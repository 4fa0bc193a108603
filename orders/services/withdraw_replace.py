"""The maker takes back an amend that waits for a second person; the order goes on under the terms it works under."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.locks import lock_request
from authorisation.services.withdraw_request import withdraw_request
from kernel.errors import Conflict, NotFound
from orders.models import OrderRequest
from orders.permissions import can_see
from orders.services._authorise import KIND
from orders.services._holds import lock_for_request, set_hold
from orders.services._moving import Said, move_request, record, show_request_state, who

_TEXT = "Its maker took it back."


def withdraw_replace(*, actor: Principal, at: datetime, authorisation_id: UUID) -> str:
    """The sentence that says what is. What only the amend held is given back.

    Raises NotFound AUTHORISATION_UNKNOWN, NotPermitted NOT_THE_MAKER, Conflict AUTHORISATION_CLOSED; then nothing
    changed. A new order is not withdrawn but canceled.
    """
    unknown = NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    with transaction.atomic():
        facts = lock_request(authorisation_id)
        if facts.kind != KIND:
            raise unknown
        order, request, requests = lock_for_request(UUID(facts.subject_id))
        if request.kind != OrderRequest.Kind.REPLACE:
            raise unknown
        if not can_see(actor, desk_id=order.desk_id, group_id=order.account.group_id):
            raise unknown
        if request.state != OrderRequest.State.PENDING_AUTHORISATION:
            raise Conflict("AUTHORISATION_CLOSED", f"{order.ref} does not wait for a decision any more.")
        withdraw_request(actor=actor, at=at, authorisation_id=authorisation_id, reason=_TEXT)
        move_request(request, OrderRequest.State.WITHDRAWN, text=_TEXT, answered_at=at)
        show_request_state(order, requests)
        payload = {**who(order, request), "text": request.outcome_text}
        said = Said("RequestWithdrawn", payload, actor.actor, actor.on_behalf_of)
        record(order, [said], at=at, changed=["request_state"])
        set_hold(order, requests, at=at)
    return f"The amend of {order.ref} was taken back."
