"""Ask the venue to change a working order: a request of its own, checked on locked facts, holding the larger of old and new."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from journal.services.claim_key import claim_key
from journal.services.store_answer import store_answer
from kernel.crash_points import crash_point
from kernel.ids import new_id
from orders.domain.amending import changed_terms
from orders.domain.assembling import DESK_SOURCES, terms_of_payload
from orders.domain.drafting import OUTCOMES, TELLS_ALL
from orders.domain.results import PENDING_AUTHORISATION, REFUSED, RELEASED, RequestResult, capture_answer
from orders.domain.shape import replace_faults, require_shape
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest
from orders.permissions import require_entry
from orders.services._amending import replace_basis, wanted_message
from orders.services._answers import content_hash, key_owner, replay
from orders.services._asking import (
    new_request,
    released_event,
    require_order,
    result_of,
)
from orders.services._authorise import hold_for_authorisation
from orders.services._capturing import count_request, require_acknowledged
from orders.services._facts import facts_of_order
from orders.services._holds import lock_order_whole, set_hold
from orders.services._moving import Said, asked, record, who
from orders.services._watching import tell_of_watched, watched
from risk.domain.answers import Acknowledgement, Judgement, answer_to_json
from risk.domain.checks import run_checks
from risk.domain.facts import Facts

STATUS = {REFUSED: 422, PENDING_AUTHORISATION: 202}
_KINDS = {RELEASED: "ReplaceReleased", PENDING_AUTHORISATION: "ReplaceHeld", REFUSED: "ReplaceRefused"}


def replace_order(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    route: str,
    order_id: UUID,
    terms: ReplaceTerms,
    reason: str = "",
    acknowledgements: Sequence[Acknowledgement] = (),
) -> RequestResult:
    """Capture a replace. ``terms.order_qty`` is total, executed included. A refusal by checks is a result and is kept.

    Raises NotPermitted, NotFound ORDER_UNKNOWN, Invalid, Conflict (ORDER_CLOSED, ORDER_NOT_SENT, IDEMPOTENCY_CONFLICT),
    Refused ACKNOWLEDGEMENT_REQUIRED; then nothing is kept.
    """
    require_entry(actor)
    require_shape(replace_faults(terms))
    digest = content_hash(terms, acknowledgements, order_id=order_id, reason=reason)
    with transaction.atomic():
        stored = claim_key(principal=key_owner(actor), route=route, key=idempotency_key, payload_hash=digest)
        if stored is not None:
            return replay(RequestResult, answer=stored.answer, key=idempotency_key, stored_hash=digest, own_hash=digest)
        require_order(actor, order_id)
        order, requests, money = lock_order_whole(order_id)
        basis = replace_basis(order, requests)
        message = wanted_message(basis, terms)
        facts = facts_of_order(
            order,
            requests,
            maker=actor,
            at=at,
            terms=terms_of_payload(message),
            money=money,
            replacing=True,
            changed=changed_terms(basis, message),
        )
        on_desk = route in DESK_SOURCES
        judgement = run_checks(facts, acknowledgements=acknowledgements, on_desk=on_desk)
        require_acknowledged(judgement)
        request = _write(
            order, requests, actor, at, (idempotency_key, reason), message, judgement, acknowledgements, facts
        )
        tell_of_watched([(entry, facts.account.code, order.ref) for entry in watched(facts)], at=at)
        result = result_of(order, request, OUTCOMES[judgement.worst], judgement.answers)
        count_request(facts, judgement)
        store_answer(
            principal=key_owner(actor),
            route=route,
            key=idempotency_key,
            payload_hash=digest,
            status=STATUS.get(result.outcome, 201),
            answer=capture_answer(result),
            at=at,
        )
        crash_point("replace.written")
    return result


def _write(
    order: Order,
    requests: list[OrderRequest],
    actor: Principal,
    at: datetime,
    given: tuple[str, str],
    message: dict[str, Any],
    judgement: Judgement,
    acknowledgements: Sequence[Acknowledgement],
    facts: Facts,
) -> OrderRequest:
    key, reason = given
    outcome = OUTCOMES[judgement.worst]
    request = new_request(
        order,
        kind=OrderRequest.Kind.REPLACE,
        state=outcome,
        actor=actor,
        at=at,
        key=key,
        payload=message,
        answers=judgement.answers,
        acknowledgements=acknowledgements,
        authorisation_id=new_id(),
        facts=facts,
    )
    requests.append(request)
    told = [answer_to_json(answer) for answer in judgement.answers if answer.verdict]
    captured = {**asked(order, request), "message": message, "reason": reason, "checks": told}
    came_of_it: dict[str, Any] = {**who(order, request), "sentence": judgement.sentence}
    if request.authorisation_id is not None:
        came_of_it["authorisation_id"] = str(request.authorisation_id)
    if outcome == RELEASED:
        came_of_it = released_event(order, request, message, adds_risk=facts.adds_risk)
    said = [
        Said("ReplaceCaptured", captured, actor.actor, actor.on_behalf_of, version=TELLS_ALL),
        Said(_KINDS[outcome], came_of_it, actor.actor, actor.on_behalf_of),
    ]
    record(order, said, at=at, changed=["last_request_seq"])
    if outcome != REFUSED:
        set_hold(order, requests, at=at)
    if request.authorisation_id is not None:
        hold_for_authorisation(
            actor=actor,
            at=at,
            authorisation_id=request.authorisation_id,
            kind="replace",
            ref=order.ref,
            request_id=request.id,
            version=order.version,
            desk_id=order.desk_id,
            group_id=order.account.group_id,
            message=message,
            answers=judgement.answers,
            correlation_id=order.correlation_id,
        )
    return request
