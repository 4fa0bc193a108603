"""Record that requests are being given to the engine: from now on the venue may know them, and only it can end them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from journal.bulk import update_rows
from orders.domain.facts import OrderFacts, facts_from_json, facts_of_reports, facts_to_json
from orders.domain.fold import reads_anew, request_sent
from orders.domain.sent import sent_fact
from orders.domain.state import RequestFact
from orders.locks import lock_all_requests, lock_orders
from orders.models import Order, OrderRequest
from orders.selectors import find_orders_of_requests
from orders.selectors.history import find_reports
from orders.services._moving import Said, record_all, require_step, show_request_state, who

ACTOR = "process:gateway"


def record_hand_over(
    *, request_ids: Sequence[UUID], at: datetime, originals: Mapping[UUID, str | None] | None = None
) -> None:
    """Move the requests to handed_over and add them to their orders' facts, inside the gateway's transaction.

    ``originals``: the OrigClOrdID each replace and cancel leaves with (``locks.lock_departing``), where it is not the
    one it was captured with. Raises Conflict REQUEST_MOVED_ON when one of them is not released any more; then none may be sent.
    """
    wanted = set(request_ids)
    with transaction.atomic():
        orders = lock_orders(find_orders_of_requests(wanted).values())
        requests = lock_all_requests(orders)
        entries: list[tuple[Order, list[Said]]] = []
        moved = []
        for order_id, order in sorted(orders.items()):
            own = requests[order_id]
            facts = _facts(order, [request_fact(request) for request in own if request.id in wanted])
            said = []
            for request in own:
                if request.id in wanted:
                    require_step(request, OrderRequest.State.HANDED_OVER)
                    request.state = OrderRequest.State.HANDED_OVER
                    request.orig_cl_ord_id = (originals or {}).get(request.id, request.orig_cl_ord_id)
                    moved.append((request.id, OrderRequest.State.HANDED_OVER.value, at, request.orig_cl_ord_id))
                    facts = request_sent(facts, request_fact(request))
                    payload = {**who(order, request), "orig_cl_ord_id": request.orig_cl_ord_id}
                    said.append(Said("RequestHandedOver", payload, ACTOR))
            order.facts = facts_to_json(facts)
            show_request_state(order, own)
            entries.append((order, said))
        update_rows(OrderRequest, moved, key=("id",), fields=("state", "handed_over_at", "orig_cl_ord_id"))
        record_all(entries, at=at, changed=["facts", "request_state"])


def _facts(order: Order, asked: Sequence[RequestFact]) -> OrderFacts:
    """The order's facts, all in hand where one of the new requests changes how some are read."""
    facts = facts_from_json(order.facts)
    if any(reads_anew(facts, request) for request in asked):
        return facts_of_reports(facts.requests, find_reports([order.id])[order.id])
    return facts


def request_fact(request: OrderRequest) -> RequestFact:
    """What we send, as the core knows it."""
    return sent_fact(
        kind=request.kind,
        cl_ord_id=request.cl_ord_id,
        orig_cl_ord_id=request.orig_cl_ord_id,
        payload=request.payload,
    )
