"""A second person's word on a held request. An approval runs every check again, on the facts of now, under lock.

An approval binds to the terms it was shown. It is not applied when an executed quantity has passed the quantity asked
for, when any check answers worse than it did, or when the value has grown by more than the tolerance; a better or equal
world lets it go.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.domain.ledger import AccountMoney
from authorisation.domain.four_eyes import APPROVE, require_decidable, require_verdict
from authorisation.domain.principal import Principal
from authorisation.locks import lock_request
from authorisation.services.record_decision import record_decision
from kernel.crash_points import crash_point
from kernel.errors import NotFound
from orders.domain.results import DecideResult
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


def decide_order_request(
    *,
    actor: Principal,
    at: datetime,
    authorisation_id: UUID,
    verdict: str,
    reason_code: str,
    reason: str,
    payload_hash: str,
) -> DecideResult:
    """Approve or decline. ``payload_hash`` is that of what the checker looked at.

    Raises NotFound, NotPermitted (own request, no right, not a person), Conflict (closed, changed), Invalid, Refused
    AUTHORISATION_EXPIRED; then nothing changed.
    """
    with transaction.atomic():
        require_verdict(verdict, reason_code, reason)
        facts = lock_request(authorisation_id)
        case = _load(facts.kind, facts.subject_id, actor, at)
        require_decidable(facts, actor, at, payload_hash=payload_hash)
        judged = (
            judge_again(case.order, case.request, case.requests, money=case.money, at=at)
            if verdict == APPROVE
            else None
        )
        obstacle = judged.obstacle if judged else ""
        record_decision(
            actor=actor,
            at=at,
            authorisation_id=authorisation_id,
            verdict=verdict,
            reason_code=reason_code,
            reason=reason,
            payload_hash=payload_hash,
            not_applied_because=obstacle,
        )
        if judged is None:
            _end(case, OrderRequest.State.DECLINED, "RequestDeclined", reason_code, reason)
            return DecideResult(authorisation_id, "declined", f"{case.order.ref} was declined.")
        answers = judged.judgement.answers
        if obstacle:
            _end(case, OrderRequest.State.REFUSED, _REFUSED[case.request.kind], "APPROVED_NOT_APPLIED", obstacle)
            return DecideResult(authorisation_id, "not_applied", obstacle, answers)
        _release(case, judged.judgement, judged.facts)
        crash_point("decide.written")
        return DecideResult(authorisation_id, "applied", f"{case.order.ref} was released.", answers)


def _load(kind: str, subject_id: str, actor: Principal, at: datetime) -> _Case:
    unknown = NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    if kind != KIND:
        raise unknown
    request_id = UUID(subject_id)
    seen = (
        OrderRequest.objects.filter(id=request_id)
        .values_list("order_id", "order__desk_id", "order__account__group_id")
        .first()
    )
    if seen is None or not can_see(actor, desk_id=seen[1], group_id=seen[2]):
        raise unknown
    order, requests, money = lock_order_whole(seen[0])
    request = next(item for item in requests if item.id == request_id)
    return _Case(order, request, requests, money, actor, at)


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
