"""Ask for what a replace cannot do: cancel the order and, once the venue has proven that, enter what is left as a new one.

One request of the order, a replace that says ``staged`` and never leaves the house, and a cancel that does. It is judged
now as the new order it will be and holds the larger of old and new like any replace; ``enter_staged`` does the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.domain.ledger import AccountMoney
from authorisation.domain.principal import Principal
from journal.services.claim_key import claim_key
from journal.services.store_answer import store_answer
from kernel.crash_points import crash_point
from kernel.errors import Conflict
from kernel.numbers import ZERO, plain
from orders.domain.assembling import DESK_SOURCES, terms_of_payload
from orders.domain.drafting import TELLS_ALL
from orders.domain.results import REFUSED, RELEASED, RequestResult, capture_answer
from orders.domain.shape import replace_faults, require_shape
from orders.domain.staging import STAGED
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest
from orders.permissions import require_entry
from orders.services._amending import FLYING, replace_basis, wanted_message
from orders.services._answers import content_hash, key_owner, replay
from orders.services._asking import new_request, released_event, require_order, result_of, working_message
from orders.services._capturing import require_acknowledged
from orders.services._facts import facts_of_order
from orders.services._holds import lock_order_whole, set_hold
from orders.services._moving import Said, asked, record, who
from risk.domain.answers import Acknowledgement, Judgement, Verdict, answer_to_json
from risk.domain.checks import run_checks
from risk.domain.facts import Facts


def stage_replace(
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
    """Capture it. ``terms.order_qty`` is total, executed included. A refusal by checks is a result and is kept.

    Raises NotPermitted, NotFound ORDER_UNKNOWN, Invalid, Conflict (ORDER_CLOSED, ORDER_NOT_SENT, CANCEL_IN_FLIGHT,
    REPLACE_IN_FLIGHT, REPLACE_STAGED, NOTHING_TO_ENTER, STAGED_NEEDS_APPROVAL, IDEMPOTENCY_CONFLICT), Refused
    ACKNOWLEDGEMENT_REQUIRED, CASH_INSUFFICIENT, HOLDING_INSUFFICIENT; then nothing is kept.
    """
    require_entry(actor)
    require_shape(replace_faults(terms))
    digest = content_hash(terms, acknowledgements, order_id=order_id, reason=reason, staged=True)
    scope = {"principal": key_owner(actor), "route": route, "key": idempotency_key, "payload_hash": digest}
    with transaction.atomic():
        stored = claim_key(**scope)
        if stored is not None:
            return replay(RequestResult, answer=stored.answer, key=idempotency_key, stored_hash=digest, own_hash=digest)
        require_order(actor, order_id)
        order, requests, money = lock_order_whole(order_id)
        message = wanted_message(replace_basis(order, requests), terms)
        _require_alone(order, requests)
        judgement, facts = _judge(
            order, requests, money, message, (actor, at), acknowledgements, on_desk=route in DESK_SOURCES
        )
        request = _write(
            order, requests, (actor, at), (idempotency_key, reason), message, (judgement, facts), acknowledgements
        )
        result = result_of(order, request, str(request.state), judgement.answers)
        status = 422 if result.outcome == REFUSED else 201
        store_answer(**scope, status=status, answer=capture_answer(result), at=at)
        crash_point("stage.written")
    return result


def _require_alone(order: Order, requests: Sequence[OrderRequest]) -> None:
    """Open, and nothing else about it under way that the cancel would meet."""
    if not order.is_open:
        raise Conflict("ORDER_CLOSED", f"{order.ref} is over; nothing of it is left to change.", {"ref": order.ref})
    pending = OrderRequest.State.PENDING_AUTHORISATION
    if any(r.kind == OrderRequest.Kind.REPLACE and r.state in (*FLYING, pending) for r in requests):
        raise Conflict("REPLACE_IN_FLIGHT", f"A replace of {order.ref} is not answered yet; wait for that, or cancel.")


def _judge(
    order: Order,
    requests: Sequence[OrderRequest],
    money: AccountMoney,
    message: Mapping[str, Any],
    asking: tuple[Principal, datetime],
    acknowledgements: Sequence[Acknowledgement],
    *,
    on_desk: bool,
) -> tuple[Judgement, Facts]:
    """Every check of a new order on what would be entered now, the order's own hold given back."""
    actor, at = asking
    rest = Decimal(message["order_qty"]) - order.cum_qty
    if rest <= ZERO:
        sentence = f"{plain(order.cum_qty)} have already traded; ask for more than that, or cancel the rest."
        raise Conflict("NOTHING_TO_ENTER", sentence, {"ref": order.ref})
    entered = terms_of_payload({**message, "order_qty": plain(rest)})
    facts = facts_of_order(order, requests, maker=actor, at=at, terms=entered, money=money, replacing=False)
    judgement = run_checks(facts, acknowledgements=acknowledgements, on_desk=on_desk)
    require_acknowledged(judgement)
    if judgement.worst is Verdict.AUTHORISE:
        # A second person's word would come after the cancel, with nothing working, or hold the cancel: neither is done.
        sentence = f"{judgement.sentence} That needs a second person: cancel the order, then enter the new one."
        raise Conflict("STAGED_NEEDS_APPROVAL", sentence, {"ref": order.ref})
    return judgement, facts


def _write(
    order: Order,
    requests: list[OrderRequest],
    asking: tuple[Principal, datetime],
    given: tuple[str, str],
    message: Mapping[str, Any],
    judged: tuple[Judgement, Facts],
    acknowledgements: Sequence[Acknowledgement],
) -> OrderRequest:
    (actor, at), (key, reason), (judgement, facts) = asking, given, judged
    state = REFUSED if judgement.worst is Verdict.REFUSE else RELEASED
    staged = {**message, STAGED: True}
    request = new_request(
        order, kind=OrderRequest.Kind.REPLACE, state=state, actor=actor, at=at, key=key, payload=staged,
        answers=judgement.answers, acknowledgements=acknowledgements, facts=facts,
    )  # fmt: skip
    told = [answer_to_json(answer) for answer in judgement.answers if answer.verdict]
    captured = {**asked(order, request), "message": staged, "reason": reason, "checks": told}
    came_of_it = {**who(order, request), "sentence": judgement.sentence}
    kind = "ReplaceRefused" if state == REFUSED else "ReplaceStaged"
    said = [
        Said("ReplaceCaptured", captured, actor.actor, actor.on_behalf_of, version=TELLS_ALL),
        Said(kind, came_of_it, actor.actor, actor.on_behalf_of),
    ]
    requests.append(request)
    if state == RELEASED:
        said += _cancel(order, requests, actor, at, key)
    record(order, said, at=at, changed=["last_request_seq"])
    set_hold(order, requests, at=at)
    return request


def _cancel(order: Order, requests: list[OrderRequest], actor: Principal, at: datetime, key: str) -> list[Said]:
    """The cancel that goes to the venue."""
    message = working_message(order, requests)
    reason = "To be entered anew with other terms."
    request = new_request(
        order, kind=OrderRequest.Kind.CANCEL, state=RELEASED, actor=actor, at=at, key=key, payload={"reason": reason}
    )
    requests.append(request)
    released = released_event(order, request, message, adds_risk=False)
    return [
        Said(
            "CancelCaptured", {**asked(order, request), "reason": reason}, actor.actor, actor.on_behalf_of,
            version=TELLS_ALL,
        ),
        Said("CancelReleased", released, actor.actor, actor.on_behalf_of),
    ]  # fmt: skip
