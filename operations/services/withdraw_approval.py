"""The maker takes back what waits for a second person; whatever it held meanwhile is given back in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.services.end_withdrawal import KIND as WITHDRAWAL
from accounts.services.end_withdrawal import end_withdrawal
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from authorisation.services.withdraw_request import withdraw_request
from kernel.errors import Conflict, NotPermitted
from operations.selectors.approvals import ORDER_REQUEST, WaitingItem, get_approval
from orders.models import OrderRequest
from orders.services.cancel_order import cancel_order
from orders.services.withdraw_replace import withdraw_replace

REASON = "Its maker took it back."
ROUTE = "approvals withdraw"


def withdraw_approval(*, actor: Principal, at: datetime, approval_id: UUID) -> str:
    """What is, in one sentence. Only for the maker; a new order that waits is canceled.

    Raises NotFound AUTHORISATION_UNKNOWN, NotPermitted NOT_THE_MAKER, Conflict AUTHORISATION_CLOSED or
    WITHDRAWN_ELSEWHERE (a kind whose own page ends it), and what a cancel raises; then nothing changed.
    """
    item = get_approval(actor=actor, approval_id=approval_id, at=at)
    if item.approval.maker_id != actor.user_id:
        raise NotPermitted("NOT_THE_MAKER", "Only its maker takes it back.")
    if item.approval.kind == ORDER_REQUEST:
        return _order(item, actor, at)
    if item.approval.kind not in _ENDS:
        raise Conflict("WITHDRAWN_ELSEWHERE", "This is ended where it was asked for, not here.")
    with transaction.atomic():
        withdraw_request(actor=actor, at=at, authorisation_id=approval_id, reason=REASON)
        _ENDS[item.approval.kind](item.approval, actor, at)
    return "It was taken back; nothing changes."


def _order(item: WaitingItem, actor: Principal, at: datetime) -> str:
    request, approval = item.request, item.approval
    assert request is not None
    if request.kind == OrderRequest.Kind.REPLACE:
        return withdraw_replace(actor=actor, at=at, authorisation_id=approval.id)
    if not approval.is_open:
        raise Conflict("AUTHORISATION_CLOSED", "It is closed already.", {"state": approval.state})
    cancel_order(
        actor=actor, at=at, idempotency_key=str(approval.id), route=ROUTE, order_id=request.order_id, reason=REASON
    )
    return f"{request.order.ref} was canceled before anybody decided."


def _payment(facts: RequestFacts, actor: Principal, at: datetime) -> None:
    end_withdrawal(facts.payload, why=REASON, actor=actor.actor, at=at)


def _nothing_held(facts: RequestFacts, actor: Principal, at: datetime) -> None:
    """A change that was only asked for leaves nothing behind."""


_ENDS: dict[str, Callable[[RequestFacts, Principal, datetime], None]] = {
    WITHDRAWAL: _payment,
    "limit_change": _nothing_held,
    "rate_change": _nothing_held,
    "rule_change": _nothing_held,
    "stop_release": _nothing_held,
    "suspense": _nothing_held,
    "policy_change": _nothing_held,
    "standing_instruction": _nothing_held,
    "post_trade_rules": _nothing_held,
    "allocation": _nothing_held,  # the block hears of it: allocations.services.on_requests_closed
}
WITHDRAWABLE = frozenset({ORDER_REQUEST, *_ENDS})
