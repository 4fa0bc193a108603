"""Complete a cancel without the venue: its order had never been handed over, so both end here."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from kernel.errors import Conflict
from orders.models import OrderRequest
from orders.services._holds import lock_for_request, set_hold
from orders.services._moving import Said, close_unsent, move_request, record, show_request_state, who

ACTOR = "process:gateway"
_UNSENT = (OrderRequest.State.RELEASED, OrderRequest.State.PENDING_AUTHORISATION)


def cancel_unsent(*, request_id: UUID, at: datetime) -> None:
    """Withdraw the unsent order and accept the cancel ``request_id``; done before, nothing changes.

    Raises NotFound REQUEST_UNKNOWN, Conflict ORDER_WAS_SENT when the order has been handed over.
    """
    with transaction.atomic():
        order, request, requests = lock_for_request(request_id)
        if request.state == OrderRequest.State.ACCEPTED:
            return
        new = next(item for item in requests if item.kind == OrderRequest.Kind.NEW)
        if new.state not in _UNSENT:
            raise Conflict("ORDER_WAS_SENT", f"{order.ref} has been handed over; only the venue can cancel it.")
        said = []
        for item in requests:
            if item.kind != OrderRequest.Kind.CANCEL and item.state in _UNSENT:
                move_request(item, OrderRequest.State.WITHDRAWN, text="Canceled before it was sent.", answered_at=at)
                said.append(Said("RequestWithdrawn", {**who(order, item), "text": item.outcome_text}, ACTOR))
        move_request(request, OrderRequest.State.ACCEPTED, text="Completed without the venue.", answered_at=at)
        said.append(Said("RequestAccepted", {**who(order, request), "code": "", "text": request.outcome_text}, ACTOR))
        close_unsent(order)
        show_request_state(order, requests)
        record(order, said, at=at, changed=["request_state", "is_open", "leaves_qty"])
        set_hold(order, requests, at=at)
