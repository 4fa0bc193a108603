"""What approving a held request would do now: the run of the checks that the decision makes, nothing written or locked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.arithmetic import trade_value
from accounts.selectors import read_money
from kernel.errors import NotFound
from kernel.numbers import ZERO
from orders.models import Order, OrderRequest
from orders.services._asking import working_message
from orders.services._facts import own_hold
from orders.services._judging import judge_again
from risk.domain.answers import CheckAnswer
from risk.domain.checks.closeness import Closeness, all_closeness
from risk.domain.exposure import cash_to_hold, order_value, priced
from risk.domain.facts import Facts


@dataclass(frozen=True, slots=True)
class DecisionPreview:
    """One held request on the facts of now. Money in the listing's currency, quantities in units.

    ``exposure`` is what could still trade, at the price the checks value it at: under the terms that work now and under
    those asked for; None without any price. ``working`` are the terms of now (None for a new order), ``asked`` those
    asked for. ``obstacle`` says why an approval would not be applied, else it is empty.
    """

    working: Mapping[str, Any] | None
    asked: Mapping[str, Any]
    checks: tuple[CheckAnswer, ...]
    obstacle: str
    filled: Decimal
    leaves_before: Decimal
    leaves_after: Decimal
    exposure_before: Decimal | None
    exposure_after: Decimal | None
    asked_value: Decimal | None
    cash_before: Decimal | None
    cash_after: Decimal | None
    position: Decimal | None
    closeness: tuple[Closeness, ...]


def preview_decision(*, at: datetime, request_id: UUID) -> DecisionPreview:
    """A dry run of an approval. Visibility is the caller's matter.

    Raises NotFound REQUEST_UNKNOWN, Conflict AUTHORISATION_CLOSED when the request does not wait any more.
    """
    request = OrderRequest.objects.select_related("order").filter(id=request_id).first()
    if request is None:
        raise NotFound("REQUEST_UNKNOWN", "There is no such request.", {"request_id": str(request_id)})
    order = request.order
    requests = list(order.requests.order_by("seq"))
    money = read_money([order.account_id])[order.account_id]
    judged = judge_again(order, request, requests, money=money, at=at, locked=False)
    facts = judged.facts
    replacing = request.kind == OrderRequest.Kind.REPLACE
    value = order_value(facts, qty=facts.leaves_qty)
    asked_value = order_value(facts)
    available = money.available_cash(facts.listing.currency)
    needed = cash_to_hold(facts)
    return DecisionPreview(
        working=working_message(order, requests) if replacing else None,
        asked=request.payload,
        checks=judged.judgement.answers,
        obstacle=judged.obstacle,
        filled=order.cum_qty,
        leaves_before=order.leaves_qty if replacing else ZERO,
        leaves_after=facts.leaves_qty,
        exposure_before=_working_exposure(order, facts) if replacing else ZERO,
        exposure_after=value.amount if value is not None else None,
        asked_value=asked_value.amount if asked_value is not None else None,
        cash_before=available,
        cash_after=None if needed is None else available + own_hold(order).cash - needed,
        position=facts.usage.position.units if facts.usage.position is not None else None,
        closeness=all_closeness(facts),
    )


def _working_exposure(order: Order, facts: Facts) -> Decimal | None:
    """What is still open under the working terms, at their own price where they have one."""
    px = order.price if order.price is not None else priced(facts).basis
    if px is None:
        return None
    listing = facts.listing
    return trade_value(qty=order.leaves_qty, px=px, divisor=listing.price_divisor, currency=listing.currency).amount
