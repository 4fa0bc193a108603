"""Ends many open orders at once: locked in the house's order, requests refused, cancels released, holds let go, events.

For whatever of the house ends orders by itself: a stop that was pressed, a restriction that came into force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.domain.ledger import OrderHold
from accounts.locks import lock_money
from accounts.services.set_reservations import set_reservations
from authorisation.domain.principal import process_principal
from authorisation.locks import lock_request_rows
from authorisation.services.withdraw_requests import withdraw_requests
from journal.bulk import insert_rows, update_rows
from kernel.ids import cl_ord_id, new_id, shard_of
from orders.domain.drafting import TELLS_ALL
from orders.domain.stopping import Asked, Found, Plan, plan_stop
from orders.locks import lock_all_requests, lock_orders
from orders.models import Order, OrderRequest
from orders.selectors.stopping import find_money_of, find_waiting_approvals
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


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the house ends orders: ``code`` and ``sentence`` as their requests are told, and in whose name it asks."""

    code: str
    sentence: str
    key: str
    process: str
    actor: str
    maker_id: int
    on_behalf_of: str = ""


def end_orders(why: Ending, order_ids: Sequence[UUID], *, at: datetime) -> list[Case]:
    """Lock in the house's order, decide for each order, write all of it in a few statements. What was ended, and how."""
    approvals = find_waiting_approvals(order_ids)
    lock_request_rows(approvals)
    accounts, instruments = find_money_of(order_ids)
    lock_money(account_ids=accounts, instrument_ids=instruments)
    orders = lock_orders(order_ids)
    requests = lock_all_requests(order_ids, judgements=False)
    locked = frozenset(approvals)
    cases = []
    for order_id, order in orders.items():
        asked_so_far = [Asked(one.kind, one.state, one.authorisation_id) for one in requests[order_id]]
        plan = plan_stop(asked_so_far, is_open=order.is_open, locked=locked)
        if plan is not None:
            cases.append(Case(order, requests[order_id], plan))
    withdraw_requests(
        actor=process_principal(why.process), at=at, authorisation_ids=_asked_of_people(cases), reason=why.sentence
    )
    _end_and_ask(why, cases, at=at)
    return cases


def _asked_of_people(cases: Sequence[Case]) -> set[UUID]:
    """The approvals that nobody has to decide any more."""
    refused = (case.requests[place] for case in cases for place in case.plan.refuse)
    waiting = (one.authorisation_id for one in refused if one.state == OrderRequest.State.PENDING_AUTHORISATION)
    return {authorisation_id for authorisation_id in waiting if authorisation_id}


def _end_and_ask(why: Ending, cases: Sequence[Case], *, at: datetime) -> None:
    """Carry out the plans: a fixed number of statements for any number of orders."""
    sentence = why.sentence
    refused: list[tuple[UUID, str, str, str, datetime]] = []
    cancels: list[OrderRequest] = []
    told: list[tuple[Order, list[Said]]] = []
    holds: list[OrderHold] = []
    counts: list[OrderCount] = []
    for case in cases:
        said = []
        for request in (case.requests[place] for place in case.plan.refuse):
            said.append(_refuse(why, case.order, request, sentence))
            refused.append((request.id, _REFUSED, why.code, sentence, at))
        if case.plan.refuse:
            if case.plan.found is Found.UNSENT:
                close_unsent(case.order)
            show_request_state(case.order, case.requests)
            held = held_of(case.order, case.requests)
            holds.append(hold_row(case.order, held.cash, held.stock))
            counts.append(OrderCount(case.order.id, counted_of(case.order, case.requests)))
        if case.plan.cancel:
            cancel = _cancel(why, case.order, at, sentence)
            cancels.append(cancel)
            said += _ask(why, case, cancel, sentence)
        if said:
            told.append((case.order, said))
    update_rows(OrderRequest, refused, key=("id",), fields=("state", "outcome_code", "outcome_text", "answered_at"))
    insert_rows(OrderRequest, [_values(one) for one in cancels], fields=_CANCEL_FIELDS)
    if told:
        record_all(told, at=at, changed=_ORDER_FIELDS)
    set_reservations(holds=holds, at=at)
    if counts:
        set_usage(counts=counts)


def _refuse(why: Ending, order: Order, request: OrderRequest, sentence: str) -> Said:
    require_step(request, _REFUSED)
    request.state = _REFUSED
    payload = {**who(order, request), "code": why.code, "sentence": sentence}
    return Said("RequestNotSent", payload, why.actor, why.on_behalf_of, causation_id=None)


def _cancel(why: Ending, order: Order, at: datetime, sentence: str) -> OrderRequest:
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
        maker=why.actor,
        maker_id=why.maker_id,
        on_behalf_of=why.on_behalf_of,
        idempotency_key=why.key,
        checks=[],
        acknowledgements=[],
        captured_at=at,
        released_at=at,
    )


def _values(request: OrderRequest) -> tuple[object, ...]:
    return tuple(getattr(request, name) for name in _CANCEL_FIELDS)


def _ask(why: Ending, case: Case, cancel: OrderRequest, sentence: str) -> list[Said]:
    """``patient``: while its session is down such a cancel waits for it, whatever other messages do."""
    order = case.order
    captured = {**asked(order, cancel), "reason": sentence[:500]}
    released = released_event(order, cancel, working_message(order, case.requests), adds_risk=False)
    return [
        Said("CancelCaptured", captured, why.actor, why.on_behalf_of, version=TELLS_ALL),
        Said("CancelReleased", {**released, "patient": True}, why.actor, why.on_behalf_of),
    ]
