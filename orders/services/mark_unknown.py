"""Say that we do not know what became of a request we handed over. Silence is not a rejection; only the venue ends this."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from kernel.errors import NotFound
from orders.domain.applying import unknown_key
from orders.locks import lock_all_requests, lock_orders
from orders.models import OrderRequest
from orders.selectors import find_orders_of_requests
from orders.services._moving import Said, move_request, record, show_request_state, who

ACTOR = "process:gateway"


def mark_unknown(*, request_id: UUID, at: datetime, sentence: str) -> None:
    """Move a handed-over request to unknown and tell a person; answered or unknown already, nothing changes.

    Raises NotFound REQUEST_UNKNOWN, Conflict REQUEST_MOVED_ON when it was never handed over.
    """
    order_id = find_orders_of_requests([request_id]).get(request_id)
    if order_id is None:
        raise NotFound("REQUEST_UNKNOWN", "There is no such request.", {"request_id": str(request_id)})
    with transaction.atomic():
        order = lock_orders([order_id])[order_id]
        requests = lock_all_requests([order_id])[order_id]
        request = next(item for item in requests if item.id == request_id)
        if request.state in (
            OrderRequest.State.UNKNOWN,
            OrderRequest.State.ACCEPTED,
            OrderRequest.State.REJECTED,
        ):
            return
        move_request(request, OrderRequest.State.UNKNOWN, text=sentence)
        show_request_state(order, requests)
        said = Said("RequestUnknown", {**who(order, request), "sentence": sentence}, ACTOR)
        event = record(order, [said], at=at, changed=["request_state"])[0]
        raise_anomaly(
            anomaly=Anomaly(
                kind="REQUEST_UNKNOWN",
                severity=Severity.HIGH,
                subject_type="order",
                subject_id=str(order.id),
                sentence=f"{order.ref}: the fate of {request.kind} {request.cl_ord_id} is unknown. {sentence}",
                dedupe_key=f"order:{order.id}:{unknown_key(request.cl_ord_id)}",
                evidence={"ref": order.ref, "cl_ord_id": request.cl_ord_id, "request_id": str(request.id)},
            ),
            actor=ACTOR,
            at=at,
            business_date=order.trade_date,
            correlation_id=order.correlation_id,
            causation_id=event.draft.id,
        )
