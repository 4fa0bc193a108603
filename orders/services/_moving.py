"""The one door through which our own states move: a request's state, the order's share of it, and the event that says so.

Callers hold the order's lock. Nothing here decides; it refuses a step the table does not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from journal.bulk import update_rows
from journal.domain.chain import EventDraft, EventRow, Head, last_heads
from journal.services.append_events import append_events
from kernel.errors import Conflict
from kernel.ids import new_id
from orders.domain.applying import request_state_of
from orders.domain.transitions import may_move
from orders.models import Order, OrderRequest


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that happened to an order, before it has its place in the order's stream."""

    kind: str
    payload: Mapping[str, Any]
    actor: str
    on_behalf_of: str = ""
    causation_id: UUID | None = None
    business_date: date | None = None
    version: int = 1


def move_request(request: OrderRequest, state: str, *, code: str = "", text: str = "", **stamps: datetime) -> None:
    """Put the locked request into ``state`` and save it; ``stamps`` are its time columns.

    Raises Conflict REQUEST_MOVED_ON when the table has no such step.
    """
    require_step(request, state)
    request.state = state
    changed = ["state"]
    if code or text:
        request.outcome_code, request.outcome_text = code[:60], text
        changed += ["outcome_code", "outcome_text"]
    for name, value in stamps.items():
        setattr(request, name, value)
        changed.append(name)
    request.save(update_fields=changed)


def require_step(request: OrderRequest, state: str) -> None:
    """Raises Conflict REQUEST_MOVED_ON when the table has no step from where the request is to ``state``."""
    if not may_move(request.state, state):
        raise Conflict(
            "REQUEST_MOVED_ON",
            f"The request is {request.state.replace('_', ' ')} and cannot become {state.replace('_', ' ')}.",
            {"request_id": str(request.id), "state": request.state, "wanted": state},
        )


def who(order: Order, request: OrderRequest) -> dict[str, Any]:
    """The ids every event about a request carries."""
    return {
        "order_id": str(order.id),
        "request_id": str(request.id),
        "ref": order.ref,
        "kind": request.kind,
        "cl_ord_id": request.cl_ord_id,
        "account_id": str(order.account_id),
        "desk_id": order.desk_id,
    }


def asked(order: Order, request: OrderRequest) -> dict[str, Any]:
    """What an event says of a request that comes to be: who, and what only the request's row would know."""
    told = {**who(order, request), "orig_cl_ord_id": request.orig_cl_ord_id, "maker_id": request.maker_id}
    if request.acknowledgements:
        told["acknowledgements"] = request.acknowledgements
    return told


def record(order: Order, said: Sequence[Said], *, at: datetime, changed: Sequence[str] = ()) -> tuple[EventRow, ...]:
    """Append the events behind the locked order's head and save head, version and the ``changed`` columns.

    The version of an order is the number of its last event: what changed without an event cannot be.
    """
    stream = f"order:{order.id}"
    drafts = _drafts(order, said, at)
    rows = append_events(drafts=drafts, heads={stream: Head(order.last_event_seq, bytes(order.last_event_hash))}, at=at)
    if rows:
        order.last_event_seq, order.last_event_hash = rows[-1].seq, rows[-1].hash
    order.updated_at = at
    order.version = order.last_event_seq
    order.save(update_fields=["last_event_seq", "last_event_hash", "updated_at", "version", *changed])
    return rows


def record_all(
    entries: Sequence[tuple[Order, Sequence[Said]]], *, at: datetime, changed: Sequence[str] = ()
) -> tuple[EventRow, ...]:
    """As :func:`record` for many locked orders in two statements: each says at least one thing, once."""
    drafts = [draft for order, said in entries for draft in _drafts(order, said, at)]
    heads = {f"order:{o.id}": Head(o.last_event_seq, bytes(o.last_event_hash)) for o, _ in entries}
    events = append_events(drafts=drafts, heads=heads, at=at)
    ends = last_heads(events)
    rows = []
    for order, _ in entries:
        end = ends[f"order:{order.id}"]
        order.last_event_seq, order.last_event_hash = end.seq, end.hash
        order.updated_at = at
        order.version = end.seq
        rows.append((order.id, end.seq, end.hash, at, order.version, *(getattr(order, name) for name in changed)))
    update_rows(
        Order, rows, key=("id",), fields=("last_event_seq", "last_event_hash", "updated_at", "version", *changed)
    )
    return events


def _drafts(order: Order, said: Sequence[Said], at: datetime) -> list[EventDraft]:
    return [
        EventDraft(
            id=new_id(),
            stream=f"order:{order.id}",
            kind=item.kind,
            actor=item.actor,
            on_behalf_of=item.on_behalf_of,
            correlation_id=order.correlation_id,
            causation_id=item.causation_id,
            event_at=at,
            received_at=at,
            business_date=item.business_date or order.trade_date,
            payload=item.payload,
            version=item.version,
        )
        for item in said
    ]


def show_request_state(order: Order, requests: Sequence[OrderRequest]) -> None:
    """Set the order's share of its requests' states; the caller saves it through :func:`record`."""
    order.request_state = request_state_of((request.kind, request.state) for request in requests)


def close_unsent(order: Order) -> None:
    """The order will never reach a venue: nothing is open. The caller saves it through :func:`record`."""
    order.is_open = False
    order.leaves_qty = type(order.leaves_qty)(0)
