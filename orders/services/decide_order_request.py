"""A second person's word on a held request. An approval runs every check again, on the facts of now, under lock.

An approval binds to the terms it was shown. It is not applied when an executed quantity has passed the quantity asked
for, when any check answers worse than it did, or when the value has grown by more than the tolerance; a better or equal
world lets it go.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.domain.ledger import AccountMoney
from authorisation.domain.principal import Principal
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from kernel.crash_points import crash_point
from kernel.errors import Conflict, NotFound
from orders.models import Order, OrderRequest
from orders.permissions import can_see
from orders.services._asking import released_event
from orders.services._authorise import KIND
from orders.services._holds import lock_order_whole, set_hold
from orders.services._judging import judge_again
from orders.services._moving import Said, close_unsent, move_request, record, show_request_state, who
from risk.domain.answers import Judgement, answer_to_json
from risk.domain.checks import REGISTRY_VERSION
from risk.domain.facts import Facts

_RELEASED = {"new": "OrderReleased", "replace": "ReplaceReleased"}
_REFUSED = {"new": "OrderRefused", "replace": "ReplaceRefused"}


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything about one held request, locked."""

    order: Order
    request: OrderRequest
    requests: list[OrderRequest]
    money: AccountMoney
    actor: Principal
    at: datetime


def _load(asking: Asking) -> _Case:
    request_id = UUID(asking.facts.subject_id)
    seen = (
        OrderRequest.objects.filter(id=request_id)
        .values_list("order_id", "order__desk_id", "order__account__group_id")
        .first()
    )
    if seen is None or not can_see(asking.actor, desk_id=seen[1], group_id=seen[2]):
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    order, requests, money = lock_order_whole(seen[0])
    request = next(item for item in requests if item.id == request_id)
    return _Case(order, request, requests, money, asking.actor, asking.at)


def _require_waiting(asking: Asking, case: _Case) -> None:
    if case.request.state != OrderRequest.State.PENDING_AUTHORISATION:
        raise Conflict("AUTHORISATION_CLOSED", f"{case.order.ref} does not wait for a decision any more.")


def _apply(asking: Asking, case: _Case) -> Applied:
    judged = judge_again(case.order, case.request, case.requests, money=case.money, at=case.at)
    answers = judged.judgement.answers
    if judged.obstacle:
        raise NotApplied(judged.obstacle, answers)
    _release(case, judged.judgement, judged.facts)
    crash_point("decide.written")
    return Applied(f"{case.order.ref} was released.", answers)


def _decline(asking: Asking, case: _Case) -> str:
    _end(case, OrderRequest.State.DECLINED, "RequestDeclined", asking.reason_code, asking.reason)
    return f"{case.order.ref} was declined."


def _give_up(asking: Asking, case: _Case, why: str) -> None:
    _end(case, OrderRequest.State.REFUSED, _REFUSED[case.request.kind], "APPROVED_NOT_APPLIED", why)


def _release(case: _Case, judgement: Judgement, facts: Facts) -> None:
    order, request, actor = case.order, case.request, case.actor
    move_request(request, OrderRequest.State.RELEASED, released_at=case.at)
    show_request_state(order, case.requests)
    payload = released_event(order, request, request.payload, adds_risk=facts.adds_risk)
    if request.kind == OrderRequest.Kind.NEW:
        payload["orig_cl_ord_id"] = None
    payload["approved_by"] = actor.actor
    payload["checks"] = [answer_to_json(answer) for answer in judgement.answers if answer.verdict]
    book = facts.conduct.rulebook
    payload["judged_by"] = {"registry": REGISTRY_VERSION, "rulebook": book.version if book is not None else None}
    said = Said(_RELEASED[request.kind], payload, actor.actor, actor.on_behalf_of)
    record(order, [said], at=case.at, changed=["request_state"])


def _end(case: _Case, state: OrderRequest.State, kind: str, code: str, sentence: str) -> None:
    """The request ends with us; what it held beyond the order's working terms is let go."""
    order, request = case.order, case.request
    move_request(request, state, code=code, text=sentence, answered_at=case.at)
    if request.kind == OrderRequest.Kind.NEW:
        close_unsent(order)
    show_request_state(order, case.requests)
    payload = {**who(order, request), "code": code, "sentence": sentence}
    said = Said(kind, payload, case.actor.actor, case.actor.on_behalf_of)
    record(order, [said], at=case.at, changed=["request_state", "is_open", "leaves_qty"])
    set_hold(order, case.requests, at=case.at)


_SUBJECT = Subject(KIND, _load, _apply, _decline, give_up=_give_up, guard=_require_waiting)
decide_order_request = _SUBJECT.decide
"""Approve or decline a held request.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
