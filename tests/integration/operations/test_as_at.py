"""What the house knew at a moment equals what its tables said at that moment, and rights and limits are those of then."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.as_at import get_money_as_at
from accounts.models import CashBalance, Holding
from accounts.services.deposit import Deposit, deposit
from authorisation.domain.principal import ENTER_ORDER, TRADE_ACCOUNT_GROUP, TRADE_DESK, process_principal
from authorisation.models import User
from authorisation.services.grant_access import grant_access
from authorisation.services.join_role import join_role
from authorisation.services.leave_role import leave_role
from authorisation.services.set_role_rights import set_role_rights
from journal.models import Event
from kernel.errors import NotFound
from operations.selectors.as_at import get_page_as_at
from orders.as_at import get_order_as_at, list_holds_as_at
from orders.models import Order
from orders.services.cancel_order import cancel_order
from risk.as_at import get_marks_as_at
from risk.models import Limit
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block
from risk.services.switch_trading import switch_trading
from tests.factories import AT, DeskWorld, make_desk
from tests.factories.executed import captured, filled, venue_says
from tests.factories.venues import make_session
from venues.services.consume_inbox import consume_inbox

pytestmark = pytest.mark.django_db
PROCESS = process_principal("test")
MINUTE = timedelta(minutes=1)
COLUMNS = ("ord_status", "order_qty", "cum_qty", "leaves_qty", "avg_px", "is_open", "last_event_seq")


@pytest.fixture
def world() -> DeskWorld:
    """A desk whose account was funded by a deposit, so that bookings say where its cash comes from."""
    world = make_desk(cash="0")
    make_session()
    money = [Deposit(world.account.id, Decimal(100000), currency="GBP")]
    deposit(actor=PROCESS, at=AT - MINUTE, business_date=AT.date(), deposits=money)
    return world


def photograph(world: DeskWorld) -> dict[str, Any]:
    """Today's tables: every order's columns, and the account's balances."""
    balances = CashBalance.objects.filter(account=world.account).values_list("settled", "pending", "reserved")
    stock = Holding.objects.filter(account=world.account).values_list("settled", "pending", "reserved", "short")
    orders = {row.pop("id"): row for row in Order.objects.values("id", *COLUMNS)}
    return {"orders": orders, "cash": balances.get(currency="GBP"), "stock": stock.first()}


def as_at(world: DeskWorld, at: Any) -> dict[str, Any]:
    """The same, rebuilt for a time."""
    orders = {}
    for order_id in Order.objects.filter(entered_at__lte=at).values_list("id", flat=True):
        row = get_order_as_at(order_id=order_id, at=at).order.columns()
        orders[order_id] = {name: row[name] for name in COLUMNS}
    holds = list_holds_as_at(account_id=world.account.id, at=at)
    money = get_money_as_at(account_id=world.account.id, at=at, holds=holds)
    cash, stock = money.cash_in("GBP"), money.stock.get(world.listing.instrument_id)
    return {
        "orders": orders,
        "cash": (cash.settled, cash.pending, cash.reserved),
        "stock": (stock.settled, stock.pending, stock.reserved, stock.short) if stock else None,
    }


def test_every_moment_can_be_seen_again(world: DeskWorld) -> None:
    taken = {AT - MINUTE: photograph(world)}
    first = captured(world, "k1")
    taken[AT] = photograph(world)
    second = captured(world, "k2", qty=500, at=AT + timedelta(seconds=1))
    taken[AT + timedelta(seconds=1)] = photograph(world)
    said = (
        (first, "150=0|39=0|38=1000|14=0|151=1000|6=0"),
        (first, "150=F|39=1|38=1000|32=400|31=72.4|14=400|151=600|6=72.4"),
        (second, "150=F|39=2|38=500|32=500|31=72.5|14=500|151=0|6=72.5"),
        (first, "150=H|39=0|38=1000|32=400|31=72.4|19=X2|14=0|151=1000|6=0"),
        (first, "150=4|39=4|38=1000|14=0|151=0|6=0"),
    )
    for number, (order, fields) in enumerate(said, 1):
        at = AT + number * MINUTE
        if number == 5:
            cancel_order(
                actor=world.dealer, at=at, idempotency_key="c", route="t", order_id=order.order_id, reason="client"
            )
            taken[at] = photograph(world)
            at += timedelta(seconds=1)
        venue_says(order, number, fields, at=at)
        consume_inbox(session="T1-A", adapter_name="fix44", shards=None, limit=10, at=at)
        taken[at] = photograph(world)
    assert len({str(picture) for picture in taken.values()}) == len(taken)  # no two moments are alike
    for at, picture in taken.items():
        assert as_at(world, at) == picture, at
        assert as_at(world, at + timedelta(microseconds=1)) == picture, at


def test_an_order_before_its_first_event_is_not_there(world: DeskWorld) -> None:
    order = filled(world)
    for moment in ({"at": AT - MINUTE}, {"seq": 0}, {"seq": 99}):
        with pytest.raises(NotFound, match="ORDER_NOT_YET"):
            get_order_as_at(order_id=order.order_id, **moment)
    last = Event.objects.filter(stream=f"order:{order.order_id}").count()
    found = get_order_as_at(order_id=order.order_id, seq=last - 1)
    assert (found.last.seq, found.later) == (last - 1, 1)


def test_blocks_switch_and_limits_are_those_of_then(world: DeskWorld) -> None:
    pairs = [("firm", ""), ("desk", str(world.desk.pk))]
    impose_block(actor=PROCESS, at=AT + MINUTE, scope="desk", scope_id=str(world.desk.pk), source="t", reason="fire")
    lift_block(actor=PROCESS, at=AT + 2 * MINUTE, scope="desk", scope_id=str(world.desk.pk), source="t", reason="out")
    switch_trading(actor=PROCESS, at=AT + 3 * MINUTE, on=False, reason="lunch")
    switch_trading(actor=PROCESS, at=AT + 4 * MINUTE, on=True, reason="lunch is over")
    seen = [get_marks_as_at(at=AT + number * MINUTE, pairs=pairs) for number in range(5)]
    assert [[block.reason for block in marks.blocks] for marks in seen] == [[], ["fire"], [], [], []]
    assert [marks.trading_on for marks in seen] == [True, True, True, False, True]
    assert get_marks_as_at(at=AT + MINUTE, pairs=[("firm", "")]).blocks == ()

    limit = Limit.objects.get(kind="order_qty")
    Limit.history.update(history_date=AT)
    limit.hard = Decimal(70000)
    limit._history_date = AT + MINUTE  # type: ignore[attr-defined]
    limit.save()

    def hard(number: int) -> list[Decimal]:
        limits = get_marks_as_at(at=AT + number * MINUTE, pairs=pairs).limits
        return [item.hard for item in limits if item.kind == "order_qty"]

    assert [hard(-1), hard(0), hard(1)] == [[], [Decimal(100000)], [Decimal(70000)]]


def test_the_page_shows_the_order_its_money_and_its_owner_as_they_were(world: DeskWorld, client: Client) -> None:
    user = User.objects.get(pk=world.dealer.user_id)
    User.history.filter(id=user.pk).update(history_date=AT - MINUTE)
    order = filled(world)
    client.force_login(user)
    kinds = list(Event.objects.filter(stream=f"order:{order.order_id}").order_by("seq").values_list("kind", flat=True))
    first_fill = kinds.index("ExecutionRecorded") + 1  # recorded together with the report before it
    page = get_page_as_at(order=Order.objects.select_related("account", "listing").get(), seq=first_fill)
    assert (page.row["ord_status"], page.row["cum_qty"], page.later) == ("1", Decimal(400), len(kinds) - first_fill)
    assert [(currency, sums.pending) for currency, sums in page.money.cash] == [("GBP", Decimal("-289.60"))]
    assert page.money.order_holds == (Decimal("435.00"), Decimal(0))
    answer = client.get(f"/o/{order.ref}/as-at/{first_fill}")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "As it was." in text
    assert f'href="/o/{order.ref}/as-at/{first_fill + 1}"' in text
    assert "recorded in the same moment" not in text
    before = client.get(f"/o/{order.ref}/as-at/{first_fill - 1}").content.decode()
    assert f"The account is shown after event {first_fill}, which was recorded in the same moment." in before
    assert "Might not trade this order." in text  # the factory grants around the services: no event tells of it
    assert client.get(f"/o/{order.ref}/as-at/99").status_code == 404
    assert f'href="/o/{order.ref}/as-at/1"' in client.get(f"/o/{order.ref}").content.decode()


def test_an_owner_with_the_rights_of_a_dealer_might_trade(world: DeskWorld) -> None:
    user = User.objects.get(pk=world.dealer.user_id)
    User.history.filter(id=user.pk).update(history_date=AT - MINUTE)
    (own,) = user.groups.filter(name__startswith="grants:")
    leave_role(actor=PROCESS, at=AT - MINUTE, user=user, roles=list(user.groups.all()))
    set_role_rights(actor=PROCESS, at=AT - MINUTE, role=own, rights=[ENTER_ORDER])
    grant_access(actor=PROCESS, at=AT - MINUTE, group=own, right=TRADE_DESK, objects=[world.desk])
    grant_access(actor=PROCESS, at=AT - MINUTE, group=own, right=TRADE_ACCOUNT_GROUP, objects=[world.group])
    join_role(actor=PROCESS, at=AT - MINUTE, user=user, roles=[own])
    captured(world)
    order = Order.objects.select_related("account", "listing").get()
    assert get_page_as_at(order=order, seq=1).owner.might_trade
