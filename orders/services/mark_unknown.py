"""Say that we do not know what became of requests we handed over. Silence is not a rejection; only the venue ends this."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from journal.bulk import update_rows
from journal.domain.records import Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.errors import NotFound
from orders.domain.applying import unknown_key
from orders.locks import lock_all_requests, lock_orders
from orders.models import Order, OrderRequest
from orders.selectors import find_orders_of_requests
from orders.services._moving import Said, record_all, require_step, show_request_state, who

ACTOR = "process:gateway"
_KNOWN = (OrderRequest.State.UNKNOWN, OrderRequest.State.ACCEPTED, OrderRequest.State.REJECTED)


def mark_unknown(*, request_ids: Collection[UUID], at: datetime, sentence: str) -> tuple[UUID, ...]:
    """Move handed-over requests to unknown and tell a person; those answered or unknown already stay as they are.

    Returns the requests that moved. Raises NotFound REQUEST_UNKNOWN, Conflict REQUEST_MOVED_ON when one was never
    handed over; then nothing is done.
    """
    owners = find_orders_of_requests(request_ids)
    absent = sorted(set(request_ids) - set(owners))
    if absent:
        raise NotFound("REQUEST_UNKNOWN", "There is no such request.", {"request_id": str(absent[0])})
    with transaction.atomic():
        orders = lock_orders(owners.values())
        requests = lock_all_requests(orders)
        entries: list[tuple[Order, list[Said]]] = []
        moved: list[OrderRequest] = []
        for order_id, order in sorted(orders.items()):
            lost = [r for r in requests[order_id] if r.id in owners and r.state not in _KNOWN]
            for request in lost:
                require_step(request, OrderRequest.State.UNKNOWN)
                request.state = OrderRequest.State.UNKNOWN
            if lost:
                show_request_state(order, requests[order_id])
                said = [Said("RequestUnknown", {**who(order, r), "sentence": sentence}, ACTOR) for r in lost]
                entries.append((order, said))
                moved += lost
        update_rows(
            OrderRequest,
            [(r.id, OrderRequest.State.UNKNOWN.value, sentence) for r in moved],
            key=("id",),
            fields=("state", "outcome_text"),
        )
        events = record_all(entries, at=at, changed=["request_state"])
        causes = {str(event.draft.payload["request_id"]): event.draft.id for event in events}
        drafts = [
            anomaly_draft(
                anomaly=_anomaly(orders[r.order_id], r, sentence),
                actor=ACTOR,
                at=at,
                business_date=orders[r.order_id].trade_date,
                correlation_id=orders[r.order_id].correlation_id,
                causation_id=causes[str(r.id)],
            )
            for r in moved
        ]
        append_to_stream(drafts=drafts, at=at)
    return tuple(request.id for request in moved)


def _anomaly(order: Order, request: OrderRequest, sentence: str) -> Anomaly:
    return Anomaly(
        kind="REQUEST_UNKNOWN",
        severity=Severity.HIGH,
        subject_type="order",
        subject_id=str(order.id),
        sentence=f"{order.ref}: the fate of {request.kind} {request.cl_ord_id} is unknown. {sentence}",
        dedupe_key=f"order:{order.id}:{unknown_key(request.cl_ord_id)}",
        evidence={"ref": order.ref, "cl_ord_id": request.cl_ord_id, "request_id": str(request.id)},
    )
