"""The whole picture around an order at one of its events: the order, its account's money, what bounded it, what its owner might do.

Everything is read as it was recorded until then; nothing comes from today's rows but names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.as_at import get_money_as_at
from accounts.domain.replaying import Sums
from authorisation.as_at import AccessAsAt, get_access_as_at
from authorisation.domain.principal import ENTER_ORDER, TRADE_ACCOUNT_GROUP, TRADE_DESK
from authorisation.models import User
from journal.domain.records import EventRecord
from kernel.errors import Invalid, NotFound
from operations.domain.timeline import Line, describe
from orders.as_at import OrderAsAt, get_order_as_at, list_holds_as_at
from orders.domain.replayed import ReplayedExecution, ReplayedOrder, ReplayedRequest
from orders.models import Order
from risk.as_at import MarksAsAt, get_marks_as_at
from risk.selectors import Scopes


@dataclass(frozen=True, slots=True)
class MoneyThen:
    """The account's cash by currency and its stock in the order's instrument; in ``sentence`` why they are not shown."""

    cash: tuple[tuple[str, Sums], ...] = ()
    stock: Sums | None = None
    order_holds: tuple[Decimal, Decimal] | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class OwnerThen:
    """What the order's owner was granted then, and whether that was enough to trade it."""

    username: str
    access: AccessAsAt | None
    might_trade: bool


@dataclass(frozen=True, slots=True)
class PageAsAt:
    """All the page shows. ``row`` is the order's row as it was, by column."""

    row: dict[str, Any]
    then: ReplayedOrder
    last: EventRecord
    line: Line
    later: int
    together_to: int
    requests: tuple[ReplayedRequest, ...]
    executions: tuple[ReplayedExecution, ...]
    money: MoneyThen
    marks: MarksAsAt
    owner: OwnerThen


def get_page_as_at(*, order: Order, seq: int) -> PageAsAt:
    """The order after its ``seq``-th event and what stood around it. The caller has found it visible.

    Raises NotFound ORDER_NOT_YET, ORDER_UNTOLD.
    """
    found = get_order_as_at(order_id=order.pk, seq=seq)
    at = found.last.recorded_at
    return PageAsAt(
        row=found.order.columns(),
        then=found.order,
        last=found.last,
        line=describe(found.last.kind, found.last.payload),
        later=found.later,
        together_to=found.together_to,
        requests=tuple(sorted(found.order.requests.values(), key=lambda request: request.seq)),
        executions=tuple(sorted(found.order.executions.values(), key=lambda one: (one.trade.event_at, one.id))),
        money=_money(order, found, at),
        marks=get_marks_as_at(at=at, pairs=_scopes(order, found.order.fixed["owner_id"]).pairs()),
        owner=_owner(order, found.order.fixed["owner_id"], at),
    )


def _money(order: Order, found: OrderAsAt, at: datetime) -> MoneyThen:
    try:
        holds = list_holds_as_at(account_id=order.account_id, at=at)
    except Invalid as refused:
        return MoneyThen(sentence=refused.sentence)
    money = get_money_as_at(account_id=order.account_id, at=at, holds=holds)
    held = found.order.held
    return MoneyThen(
        cash=tuple(sorted(money.cash.items())),
        stock=money.stock_in(found.order.instrument_id),
        order_holds=(held.cash, held.stock),
    )


def _owner(order: Order, owner_id: int, at: datetime) -> OwnerThen:
    name = order.owner.username if owner_id == order.owner_id else User.objects.get(pk=owner_id).username
    try:
        access = get_access_as_at(user_id=owner_id, at=at)
    except NotFound:
        return OwnerThen(name, None, might_trade=False)
    might = (
        access.active
        and ENTER_ORDER in access.rights
        and order.desk_id in access.grants.get(TRADE_DESK, frozenset())
        and order.account.group_id in access.grants.get(TRADE_ACCOUNT_GROUP, frozenset())
    )
    return OwnerThen(name, access, might_trade=might)


def _scopes(order: Order, owner_id: int) -> Scopes:
    return Scopes(
        desk_id=order.desk_id,
        dealer_id=owner_id,
        client_id=order.account.client_id,
        account_id=order.account_id,
        instrument_id=order.listing.instrument_id,
        mic=order.listing.market_id,
        strategy=order.strategy,
    )
