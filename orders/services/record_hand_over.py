"""Record that requests are being given to the engine: from now on the venue may know them, and only it can end them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from journal.bulk import one_transaction, update_rows
from journal.domain.chain import EventDraft, last_heads
from journal.services.append_events import append_events
from kernel.errors import Conflict
from kernel.ids import new_id
from orders.domain.applying import request_state_of
from orders.domain.facts import OrderFacts, facts_from_json, facts_of_reports, facts_to_json
from orders.domain.fold import reads_anew, request_sent
from orders.domain.leaving import LeavingOrder, LeavingRequest
from orders.domain.sent import sent_fact
from orders.domain.state import RequestFact
from orders.domain.transitions import HANDED_OVER, may_move
from orders.locks import lock_leaving
from orders.models import Order, OrderRequest
from orders.selectors.history import find_reports

ACTOR = "process:gateway"


def record_hand_over(
    *, request_ids: Sequence[UUID], at: datetime, originals: Mapping[UUID, str | None] | None = None
) -> None:
    """Move the requests to handed_over and add them to their orders' facts, inside the gateway's transaction.

    ``originals``: the OrigClOrdID each replace and cancel leaves with (``locks.lock_departing``), where it is not the
    one it was captured with. Raises Conflict REQUEST_MOVED_ON when one of them is not released any more; then none may be sent.
    """
    wanted = set(request_ids)
    with one_transaction():
        orders = lock_leaving(wanted)
        leaving = {order.id: [r for r in order.requests if r.id in wanted] for order in orders}
        for request in (request for requests in leaving.values() for request in requests):
            _move(request, originals or {})
        facts = {order.id: _facts(order, leaving[order.id]) for order in orders}
        drafts = [_draft(order, request, at) for order in orders for request in leaving[order.id]]
        events = append_events(drafts=drafts, heads={f"order:{o.id}": o.head for o in orders}, at=at)
        ends = last_heads(events)
        moved = [(r.id, HANDED_OVER, at, r.orig_cl_ord_id) for requests in leaving.values() for r in requests]
        update_rows(OrderRequest, moved, key=("id",), fields=("state", "handed_over_at", "orig_cl_ord_id"))
        rows = []
        for order in orders:
            end = ends[f"order:{order.id}"]
            shown = request_state_of((request.kind, request.state) for request in order.requests)
            text = orjson.dumps(facts_to_json(facts[order.id]))
            rows.append((order.id, end.seq, end.hash, at, end.seq, text, shown))
        fields = ("last_event_seq", "last_event_hash", "updated_at", "version", "facts", "request_state")
        update_rows(Order, rows, key=("id",), fields=fields)


def _move(request: LeavingRequest, originals: Mapping[UUID, str | None]) -> None:
    if not may_move(request.state, HANDED_OVER):
        raise Conflict(
            "REQUEST_MOVED_ON",
            f"The request is {request.state.replace('_', ' ')} and cannot become handed over.",
            {"request_id": str(request.id), "state": request.state, "wanted": HANDED_OVER},
        )
    request.state = HANDED_OVER
    request.orig_cl_ord_id = originals.get(request.id, request.orig_cl_ord_id)


def _facts(order: LeavingOrder, leaving: Sequence[LeavingRequest]) -> OrderFacts:
    """The order's facts with the new requests, all in hand where one of these changes how some are read."""
    facts = facts_from_json(order.facts)
    asked = [_sent(request) for request in leaving]
    if any(reads_anew(facts, request) for request in asked):
        facts = facts_of_reports(facts.requests, find_reports([order.id])[order.id])
    for request in asked:
        facts = request_sent(facts, request)
    return facts


def _sent(request: LeavingRequest) -> RequestFact:
    return sent_fact(
        kind=request.kind,
        cl_ord_id=request.cl_ord_id,
        orig_cl_ord_id=request.orig_cl_ord_id,
        payload=request.payload,
    )


def _draft(order: LeavingOrder, request: LeavingRequest, at: datetime) -> EventDraft:
    payload: dict[str, Any] = {
        "order_id": str(order.id),
        "request_id": str(request.id),
        "ref": order.ref,
        "kind": request.kind,
        "cl_ord_id": request.cl_ord_id,
        "account_id": str(order.account_id),
        "desk_id": order.desk_id,
        "orig_cl_ord_id": request.orig_cl_ord_id,
    }
    return EventDraft(
        id=new_id(),
        stream=f"order:{order.id}",
        kind="RequestHandedOver",
        actor=ACTOR,
        correlation_id=order.correlation_id,
        event_at=at,
        received_at=at,
        business_date=order.trade_date,
        payload=payload,
    )
