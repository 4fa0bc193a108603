"""Writes what a stop decided for many locked orders at once: requests refused, cancels released, holds let go, events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.domain.ledger import OrderHold
from accounts.services.set_reservations import set_reservations
from journal.bulk import insert_rows, update_rows
from kernel.ids import cl_ord_id, new_id, shard_of
from orders.domain.drafting import TELLS_ALL
from orders.domain.stopping import KILL_SWITCH, Found, Plan
from orders.models import KillSweep, Order, OrderRequest
from orders.services._asking import released_event, working_message
from orders.services._holds import held_of, hold_row
from orders.services._moving import Said, asked, close_unsent, record_all, require_step, show_request_state, who
from orders.services._usage import counted_of
from risk.services.set_usage import OrderCount, set_usage

_REFUSED = OrderRequest.State.REFUSED.value
_CANCEL_FIELDS = (
    "id", "order_id", "seq", "kind", "state", "cl_ord_id", "orig_cl_ord_id", "payload", "maker", "maker_id",
    "on_behalf_of", "idempotency_key", "checks", "acknowledgements", "captured_at", "released_at",
    "outcome_code", "outcome_text",
)  # fmt: skip
_ORDER_FIELDS = ("last_request_seq", "is_open", "leaves_qty", "request_state")


@dataclass(frozen=True, slots=True)
class Case:
    """One locked order with all its requests, and what is to be done."""

    order: Order
    requests: list[OrderRequest]
    plan: Plan


def end_and_ask(sweep: KillSweep, cases: Sequence[Case], *, at: datetime) -> None:
    """Carry out the plans: a fixed number of statements for any number of orders."""
    sentence = f"Stopped by the kill switch ({sweep.name}): {sweep.reason}"
    refused: list[tuple[UUID, str, str, str, datetime]] = []
    cancels: list[OrderRequest] = []
    told: list[tuple[Order, list[Said]]] = []
    holds: list[OrderHold] = []
    counts: list[OrderCount] = []
    for case in cases:
        said = []
        for request in (case.requests[place] for place in case.plan.refuse):
            said.append(_refuse(sweep, case.order, request, sentence))
            refused.append((request.id, _REFUSED, KILL_SWITCH, sentence, at))
        if case.plan.refuse:
            if case.plan.found is Found.UNSENT:
                close_unsent(case.order)
            show_request_state(case.order, case.requests)
            held = held_of(case.order, case.requests)
            holds.append(hold_row(case.order, held.cash, held.stock))
            counts.append(OrderCount(case.order.id, counted_of(case.order, case.requests)))
        if case.plan.cancel:
            cancel = _cancel(sweep, case.order, at, sentence)
            cancels.append(cancel)
            said += _ask(sweep, case, cancel, sentence)
        if said:
            told.append((case.order, said))
    update_rows(OrderRequest, refused, key=("id",), fields=("state", "outcome_code", "outcome_text", "answered_at"))
    insert_rows(OrderRequest, [_values(one) for one in cancels], fields=_CANCEL_FIELDS)
    if told:
        record_all(told, at=at, changed=_ORDER_FIELDS)
    set_reservations(holds=holds, at=at)
    if counts:
        set_usage(counts=counts)


def _refuse(sweep: KillSweep, order: Order, request: OrderRequest, sentence: str) -> Said:
    require_step(request, _REFUSED)
    request.state = _REFUSED
    payload = {**who(order, request), "code": KILL_SWITCH, "sentence": sentence}
    return Said("RequestNotSent", payload, sweep.pressed_by, sweep.on_behalf_of, causation_id=None)


def _cancel(sweep: KillSweep, order: Order, at: datetime, sentence: str) -> OrderRequest:
    """The next request of the order, not written yet."""
    order.last_request_seq += 1
    return OrderRequest(
        id=new_id(),
        order_id=order.id,
        seq=order.last_request_seq,
        kind=OrderRequest.Kind.CANCEL.value,
        state=OrderRequest.State.RELEASED.value,
        cl_ord_id=cl_ord_id(ref=order.ref, request_seq=order.last_request_seq, shard=shard_of(order.account_id)),
        orig_cl_ord_id=order.cl_ord_id,
        payload={"reason": sentence[:500]},
        maker=sweep.pressed_by,
        maker_id=sweep.pressed_by_id,
        on_behalf_of=sweep.on_behalf_of,
        idempotency_key=f"kill:{sweep.id}",
        checks=[],
        acknowledgements=[],
        captured_at=at,
        released_at=at,
    )


def _values(request: OrderRequest) -> tuple[object, ...]:
    return tuple(getattr(request, name) for name in _CANCEL_FIELDS)


def _ask(sweep: KillSweep, case: Case, cancel: OrderRequest, sentence: str) -> list[Said]:
    """``patient``: while its session is down such a cancel waits for it, whatever other messages do."""
    order = case.order
    captured = {**asked(order, cancel), "reason": sentence[:500]}
    released = released_event(order, cancel, working_message(order, case.requests), adds_risk=False)
    return [
        Said("CancelCaptured", captured, sweep.pressed_by, sweep.on_behalf_of, version=TELLS_ALL),
        Said("CancelReleased", {**released, "patient": True}, sweep.pressed_by, sweep.on_behalf_of),
    ]
