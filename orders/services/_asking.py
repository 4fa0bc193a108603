"""What replace and cancel share: the order the actor may act on, the request that is written, and its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from accounts.models import TradingAccount
from authorisation.domain.principal import Principal
from kernel.errors import Conflict, NotFound
from kernel.ids import cl_ord_id, new_id, shard_of
from orders.domain.amending import current_message
from orders.domain.drafting import released_payload
from orders.domain.lineage import basis_of, is_open_request
from orders.domain.results import PENDING_AUTHORISATION, REFUSED, RELEASED, RequestResult
from orders.domain.venue_rules import may_be_replaced
from orders.models import Order, OrderRequest
from orders.permissions import can_see, require_trading
from risk.domain.answers import Acknowledgement, CheckAnswer, Verdict, answer_to_json
from risk.domain.checks import REGISTRY_VERSION
from risk.domain.facts import Facts
from risk.domain.kept_facts import facts_to_bytes


def order_unknown() -> NotFound:
    """The same for an order that is not there and for one the actor may not see."""
    return NotFound("ORDER_UNKNOWN", "There is no such order.")


def require_order(actor: Principal, order_id: UUID, *, cancelling: bool = False) -> None:
    """Raise NotFound unless the actor sees the order, NotPermitted unless it may act on it. Reads before any lock."""
    row = Order.objects.filter(id=order_id).values_list("desk_id", "account__group_id").first()
    if row is None or not can_see(actor, desk_id=row[0], group_id=row[1]):
        raise order_unknown()
    require_trading(actor, desk_id=row[0], group_id=row[1], cancelling=cancelling)


def require_cancelable(order: Order, requests: Sequence[OrderRequest]) -> None:
    """Raise Conflict ORDER_CLOSED when nothing is left to end: a replace on its way may still revive a filled order."""
    if not order.is_open and not any(
        r.kind == OrderRequest.Kind.REPLACE and is_open_request(r.state) for r in requests
    ):
        raise _closed(order)


def require_replaceable(order: Order) -> None:
    """Raise Conflict ORDER_CLOSED unless it is open, or filled at a venue that revives filled orders."""
    if not replaceable(order):
        raise _closed(order)


def replaceable(order: Order) -> bool:
    """Whether a replace may still come to something."""
    return may_be_replaced(is_open=order.is_open, ord_status=order.ord_status, venue_rules=order.venue_rules)


def _closed(order: Order) -> Conflict:
    return Conflict("ORDER_CLOSED", f"{order.ref} is over; nothing of it is left to change.", {"ref": order.ref})


def amend_basis(order: Order, requests: Sequence[OrderRequest]) -> Mapping[str, Any]:
    """The whole message a further amend builds on: the last replace still open, else the working terms."""
    working = working_message(order, requests)
    return basis_of(working, [(r.seq, r.state, r.payload) for r in requests if r.kind == OrderRequest.Kind.REPLACE])


def new_request(
    order: Order,
    *,
    kind: str,
    state: str,
    actor: Principal,
    at: datetime,
    key: str,
    payload: Mapping[str, Any],
    answers: tuple[CheckAnswer, ...] = (),
    acknowledgements: Sequence[Acknowledgement] = (),
    authorisation_id: UUID | None = None,
    facts: Facts | None = None,
) -> OrderRequest:
    """Write the next request of the locked order, with the ``facts`` its checks saw; the caller saves ``last_request_seq``
    with the order."""
    order.last_request_seq += 1
    refusals = [answer for answer in answers if answer.verdict is Verdict.REFUSE]
    refused = state == REFUSED
    return OrderRequest.objects.create(
        id=new_id(),
        order=order,
        seq=order.last_request_seq,
        kind=kind,
        state=state,
        cl_ord_id=cl_ord_id(ref=order.ref, request_seq=order.last_request_seq, shard=shard_of(order.account_id)),
        orig_cl_ord_id=order.cl_ord_id,
        payload=dict(payload),
        maker=actor.actor,
        maker_id=actor.user_id,
        on_behalf_of=actor.on_behalf_of,
        idempotency_key=key,
        checks=[answer_to_json(answer) for answer in answers],
        acknowledgements=[{"code": item.code, "reason": item.reason} for item in acknowledgements],
        decision=orjson.loads(facts_to_bytes(facts, registry=REGISTRY_VERSION)) if facts is not None else None,
        authorisation_id=authorisation_id if state == PENDING_AUTHORISATION else None,
        outcome_code=refusals[0].code if refused and refusals else "",
        outcome_text=" ".join(answer.sentence for answer in refusals) if refused else "",
        captured_at=at,
        released_at=at if state == RELEASED else None,
    )


def released_event(
    order: Order, request: OrderRequest, message: Mapping[str, Any], *, adds_risk: bool
) -> dict[str, Any]:
    """Payload of a …Released event for a request of an order that exists."""
    return released_payload(
        order_id=order.id,
        request_id=request.id,
        account_id=order.account_id,
        desk_id=order.desk_id,
        correlation_id=order.correlation_id,
        kind=request.kind,
        cl_ord=request.cl_ord_id,
        message=message,
        orig_cl_ord_id=request.orig_cl_ord_id,
        venue_order_id=order.venue_order_id,
        session_group=order.session_group,
        adds_risk=adds_risk,
    )


def first_request(order: Order, requests: Sequence[OrderRequest]) -> OrderRequest:
    """The order's NEW request. Raises Conflict ORDER_PHONED when nobody sent one: it was given by phone."""
    for item in requests:
        if item.kind == OrderRequest.Kind.NEW:
            return item
    raise Conflict("ORDER_PHONED", f"{order.ref} was given to the venue by phone; change or cancel it there.")


def working_message(order: Order, requests: Sequence[OrderRequest]) -> dict[str, Any]:
    """The whole message the order works under now. Raises Conflict ORDER_PHONED when nobody sent one."""
    first = first_request(order, requests)
    named = (r for r in requests if r.kind == OrderRequest.Kind.REPLACE and r.cl_ord_id == order.cl_ord_id)
    return current_message(next(named, first).payload, vars(order))


def result_of(
    order: Order, request: OrderRequest, outcome: str, answers: tuple[CheckAnswer, ...] = ()
) -> RequestResult:
    """The answer to the caller."""
    return RequestResult(
        order_id=order.id,
        ref=order.ref,
        request_id=request.id,
        cl_ord_id=request.cl_ord_id,
        state=str(request.state),
        outcome=outcome,
        checks=answers,
        authorisation_id=request.authorisation_id,
    )


def account_code(order: Order) -> str:
    """The code of the order's account."""
    code: str = TradingAccount.objects.values_list("code", flat=True).get(id=order.account_id)
    return code
