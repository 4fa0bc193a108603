"""Ask for an order's end. Never held for a second person; an order that has not been sent is canceled here and now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal, process_principal
from authorisation.locks import lock_request
from authorisation.services.withdraw_request import withdraw_request
from journal.services.claim_key import claim_key
from journal.services.store_answer import store_answer
from kernel.crash_points import crash_point
from kernel.errors import Conflict, Invalid
from orders.domain.drafting import TELLS_ALL
from orders.domain.results import COMPLETED_LOCALLY, RELEASED, RequestResult, capture_answer
from orders.models import Order, OrderRequest
from orders.permissions import require_cancelling
from orders.selectors import find_pending_authorisations
from orders.services._amending import open_staged
from orders.services._answers import content_hash, key_owner, replay
from orders.services._asking import (
    first_request,
    new_request,
    released_event,
    require_cancelable,
    require_order,
    result_of,
    working_message,
)
from orders.services._cancel_review import ask_review
from orders.services._holds import lock_order_whole, set_hold
from orders.services._moving import Said, asked, close_unsent, move_request, record, show_request_state, who

_UNSENT = (OrderRequest.State.PENDING_AUTHORISATION, OrderRequest.State.RELEASED)
_FLYING = (OrderRequest.State.RELEASED, OrderRequest.State.HANDED_OVER, OrderRequest.State.UNKNOWN)
MAX_REASON = 500


def cancel_order(
    *, actor: Principal, at: datetime, idempotency_key: str, route: str, order_id: UUID, reason: str
) -> RequestResult:
    """Capture a cancel: released to the venue, or completed_locally when the order was never handed over.

    Our own processes may cancel any order; the reason says which rule of the house does.

    Raises NotPermitted, NotFound ORDER_UNKNOWN, Invalid, Conflict (ORDER_CLOSED, CANCEL_IN_FLIGHT,
    IDEMPOTENCY_CONFLICT); then nothing is kept.
    """
    if not actor.is_process:
        require_cancelling(actor)
    if len(reason) > MAX_REASON:
        sentence = f"At most {MAX_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    digest = content_hash(None, (), order_id=order_id, reason=reason)
    with transaction.atomic():
        stored = claim_key(principal=key_owner(actor), route=route, key=idempotency_key, payload_hash=digest)
        if stored is not None:
            return replay(RequestResult, answer=stored.answer, key=idempotency_key, stored_hash=digest, own_hash=digest)
        if not actor.is_process:
            require_order(actor, order_id, cancelling=True)
        waiting = find_pending_authorisations(order_id)
        for authorisation_id in waiting:
            lock_request(authorisation_id)
        order, requests, _ = lock_order_whole(order_id)
        result = _take_back_staged(order, requests, actor, at)
        if result is None:
            require_cancelable(order, requests)
            _require_first(order, requests)
            _withdraw(order, requests, waiting, actor, at)
            result = _cancel(order, requests, actor, at, idempotency_key, reason)
        store_answer(
            principal=key_owner(actor),
            route=route,
            key=idempotency_key,
            payload_hash=digest,
            status=201 if result.outcome == RELEASED else 200,
            answer=capture_answer(result),
            at=at,
        )
        crash_point("cancel.written")
    return result


def _take_back_staged(
    order: Order, requests: Sequence[OrderRequest], actor: Principal, at: datetime
) -> RequestResult | None:
    """Where a staged replace has asked for the cancel already, all there is to end is that it is entered anew."""
    staged = open_staged(requests)
    if staged is None:
        return None
    sent = next((r for r in requests if r.kind == OrderRequest.Kind.CANCEL and r.seq > staged.seq), None)
    if sent is None or (order.is_open and sent.state not in _FLYING):
        return None  # that cancel came to nothing: this one is sent, and takes the staged replace back
    move_request(staged, OrderRequest.State.WITHDRAWN, text="The order was canceled.", answered_at=at)
    payload = {**who(order, staged), "text": staged.outcome_text}
    record(order, [Said("RequestWithdrawn", payload, actor.actor, actor.on_behalf_of)], at=at)
    set_hold(order, requests, at=at)
    return result_of(order, sent, RELEASED if order.is_open else COMPLETED_LOCALLY)


def _require_first(order: Order, requests: Sequence[OrderRequest]) -> None:
    if any(item.kind == OrderRequest.Kind.CANCEL and item.state in _FLYING for item in requests):
        raise Conflict("CANCEL_IN_FLIGHT", f"A cancel of {order.ref} is on its way already.", {"ref": order.ref})


def _withdraw(
    order: Order, requests: Sequence[OrderRequest], waiting: Sequence[UUID], actor: Principal, at: datetime
) -> None:
    """What waits for a second person has nothing to wait for any more; what came to wait meanwhile is left."""
    for request in requests:
        if (
            request.state == OrderRequest.State.PENDING_AUTHORISATION
            and request.authorisation_id
            and request.authorisation_id in waiting
        ):
            withdraw_request(
                actor=process_principal("orders"),
                at=at,
                authorisation_id=request.authorisation_id,
                reason=f"The order was canceled by {actor.username}.",
            )
            move_request(request, OrderRequest.State.WITHDRAWN, text="The order was canceled.", answered_at=at)
            payload = {**who(order, request), "text": request.outcome_text}
            record(order, [Said("RequestWithdrawn", payload, actor.actor, actor.on_behalf_of)], at=at)


def _cancel(
    order: Order, requests: list[OrderRequest], actor: Principal, at: datetime, key: str, reason: str
) -> RequestResult:
    new = first_request(order, requests)
    unsent = new.state in (*_UNSENT, OrderRequest.State.WITHDRAWN)
    request = new_request(
        order,
        kind=OrderRequest.Kind.CANCEL,
        state=OrderRequest.State.RELEASED,
        actor=actor,
        at=at,
        key=key,
        payload={"reason": reason},
    )
    captured = {**asked(order, request), "reason": reason}
    said = [Said("CancelCaptured", captured, actor.actor, actor.on_behalf_of, version=TELLS_ALL)]
    changed = ["last_request_seq"]
    if unsent:
        for item in requests:
            if item.state in _UNSENT:
                move_request(item, OrderRequest.State.WITHDRAWN, text="Canceled before it was sent.", answered_at=at)
                ended = {**who(order, item), "text": item.outcome_text}
                said.append(Said("RequestWithdrawn", ended, actor.actor, actor.on_behalf_of))
        move_request(request, OrderRequest.State.ACCEPTED, text="Completed without the venue.", answered_at=at)
        done = {**who(order, request), "code": "", "text": request.outcome_text}
        said.append(Said("RequestAccepted", done, actor.actor, actor.on_behalf_of))
        close_unsent(order)
        show_request_state(order, requests)
        changed += ["is_open", "leaves_qty", "request_state"]
    else:
        for item in requests:
            if item.kind == OrderRequest.Kind.REPLACE and item.state == OrderRequest.State.RELEASED:
                # It would only chase the cancel over the wire.
                move_request(item, OrderRequest.State.WITHDRAWN, text="The order was canceled.", answered_at=at)
                ended = {**who(order, item), "text": item.outcome_text}
                said.append(Said("RequestWithdrawn", ended, actor.actor, actor.on_behalf_of))
        payload = released_event(order, request, working_message(order, requests), adds_risk=False)
        said.append(Said("CancelReleased", payload, actor.actor, actor.on_behalf_of))
    record(order, said, at=at, changed=changed)
    set_hold(order, requests, at=at)
    ask_review(order, request, actor=actor, at=at, reason=reason)
    return result_of(order, request, COMPLETED_LOCALLY if unsent else RELEASED)
