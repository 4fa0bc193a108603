"""The demo flow enters real orders, keeps within its bounds, stops when it must, and repeats prices nobody else sets."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.db import OperationalError

from accounts.models import CashBalance, Holding
from authorisation.models import AuthorisationRequest, User
from kernel.errors import Refused
from kernel.ids import new_id
from oms_project import demo_flow
from oms_project.demo_flow import FEED, Flow, publish_prices, run, step, survey
from oms_project.seed.run import seed_demo
from operations.services.pause_flow import pause_flow
from orders.models import Execution, Order, OrderRequest
from refdata.models import ReferencePrice
from risk.models import Block
from venues.models import FixSession

AT = datetime.now(UTC)


@pytest.fixture(autouse=True)
def house(settings: Any, tmp_path: Path, db: None) -> None:
    settings.MODE = "demo"
    settings.VAR_DIR = tmp_path
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    seed_demo(lambda _: None)
    FixSession.objects.update(state=FixSession.State.LOGGED_ON)


def surveyed(seed: int = 1) -> Flow:
    flow = Flow(random=Random(seed))
    survey(flow, at=datetime.now(UTC))
    return flow


def enter(flow: Flow, count: int) -> None:
    for _ in range(count):
        demo_flow._enter(flow, at=datetime.now(UTC))


def acknowledge(order: Order) -> None:
    """As if the venue had taken it: enough for the flow to choose it."""
    Order.objects.filter(pk=order.pk).update(ord_status="0")


def test_orders_go_through_the_real_capture_service() -> None:
    flow = surveyed()
    assert len(flow.books) == 40
    assert flow.open_mics == {"XLON", "XETR", "XPAR", "XNYS", "XNAS", "XASX"}
    assert (flow.may_trade, flow.allow_large) == (True, True)
    enter(flow, 20)
    orders = list(Order.objects.select_related("owner", "desk", "account__group"))
    assert len(orders) >= 18
    assert {order.source for order in orders} == {"flow"}
    assert {order.owner.username for order in orders} <= {"a.khan", "j.osei", "m.ruiz", "pms-alpha"}
    assert all(order.desk_id == order.account.group.desk_id for order in orders)
    assert OrderRequest.objects.exclude(state__in=["released", "pending_authorisation"]).count() == 0


def test_a_venue_without_a_session_gets_nothing() -> None:
    FixSession.objects.filter(name="SIM2-A").update(state=FixSession.State.DOWN)
    flow = surveyed()
    enter(flow, 30)
    assert set(Order.objects.values_list("listing__market_id", flat=True)) <= {"XLON", "XETR", "XPAR"}


@pytest.mark.parametrize("cause", ["sessions", "trading", "people"])
def test_nothing_is_entered_when_trading_cannot_be(cause: str) -> None:
    if cause == "sessions":
        FixSession.objects.update(state=FixSession.State.DOWN)
    elif cause == "trading":
        Block.objects.create(
            id=new_id(), scope="firm", source="trading_switch", reason="test", imposed_by="test", imposed_at=AT
        )
    else:
        User.objects.update(is_active=False)
    assert surveyed().may_trade is False


def test_no_large_orders_while_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_flow, "MAX_PENDING", 1)
    AuthorisationRequest.objects.create(
        id=new_id(),
        kind="order_request",
        subject_type="order_request",
        subject_id="x",
        subject_version=1,
        payload={},
        payload_hash="",
        summary="",
        maker=User.objects.get(username="a.khan"),
        created_at=AT,
        expires_at=AT + timedelta(minutes=30),
    )
    assert surveyed().allow_large is False


def test_accounts_without_cash_or_stock_enter_nothing() -> None:
    Holding.objects.all().delete()
    CashBalance.objects.update(settled=Decimal(0))
    flow = surveyed()
    enter(flow, 10)
    assert Order.objects.count() == 0


def test_amends_and_cancels_are_asked_of_its_own_orders() -> None:
    flow = surveyed(2)
    enter(flow, 12)
    for order in Order.objects.filter(request_state="released"):
        acknowledge(order)
    for _ in range(6):
        demo_flow._amend(flow, at=datetime.now(UTC))
        demo_flow._cancel(flow, at=datetime.now(UTC))
    kinds = set(OrderRequest.objects.values_list("kind", flat=True))
    assert kinds == {"new", "replace", "cancel"}


def test_the_oldest_orders_above_the_bound_are_canceled(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = surveyed(3)
    enter(flow, 8)
    released = list(Order.objects.filter(request_state="released").order_by("id"))
    for order in released:
        acknowledge(order)
    monkeypatch.setattr(demo_flow, "MAX_OPEN", len(released) - 2)
    survey(flow, at=datetime.now(UTC))
    canceled = set(OrderRequest.objects.filter(kind="cancel").values_list("order_id", flat=True))
    assert canceled == {order.id for order in released[:2]}


def test_a_refusal_does_not_end_the_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise Refused("NO", "No.")

    for name in ("_enter", "_amend", "_cancel"):
        monkeypatch.setattr(demo_flow, name, refuse)
    step(surveyed(), at=AT)
    assert Order.objects.count() == 0


class Turns(threading.Event):
    """A stop that comes after so many waits, and never sleeps."""

    def __init__(self, turns: int) -> None:
        super().__init__()
        self.left = turns

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        if self.left <= 0:
            self.set()
        return self.is_set()


@pytest.fixture
def no_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own connection must survive the end of the loop."""
    monkeypatch.setattr("oms_project.demo_flow.connection.close", lambda: None)


@pytest.mark.usefixtures("no_close")
def test_the_loop_steps_until_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[datetime] = []
    monkeypatch.setattr(demo_flow, "step", lambda flow, *, at: steps.append(at))
    run(Turns(5), rate=1000)
    assert len(steps) == 5
    pause_flow()
    run(Turns(5), rate=1000)
    run(Turns(5), rate=0)
    assert len(steps) == 5
    assert ReferencePrice.objects.filter(priced_at__gt=AT - timedelta(minutes=5)).count() == 135


@pytest.mark.usefixtures("no_close")
def test_a_lost_database_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def fail(*_: Any, **__: Any) -> None:
        calls.append(1)
        raise OperationalError("gone")

    monkeypatch.setattr(demo_flow, "survey", fail)
    run(Turns(6), rate=1000)
    assert len(calls) == 3


def test_never_in_live_mode(settings: Any) -> None:
    settings.MODE = "live"
    with pytest.raises(Refused) as caught:
        run(threading.Event())
    assert caught.value.code == "DEMO_FLOW_IN_LIVE"
    assert Order.objects.count() == 0


def test_prices_nobody_repeats_are_repeated_and_fresh_ones_left_alone() -> None:
    later = AT + timedelta(minutes=1)
    fresh = ReferencePrice.objects.get(listing__symbol="VOD.L")
    ReferencePrice.objects.filter(pk=fresh.pk).update(source="venue", priced_at=later, last=Decimal(70))
    assert publish_prices(Flow(random=Random(1)), at=later) == 134
    assert ReferencePrice.objects.filter(source=FEED, priced_at=later).count() == 134
    fresh.refresh_from_db()
    assert (fresh.source, fresh.last) == ("venue", Decimal(70))


def test_the_last_trade_becomes_the_last_price() -> None:
    flow = surveyed()
    enter(flow, 5)
    order = Order.objects.order_by("id")[0]
    later = datetime.now(UTC) + timedelta(minutes=1)
    for number, px in enumerate(("10.5", "11.5")):
        Execution.objects.create(
            id=new_id(),
            order=order,
            identity=str(number),
            exec_id=str(number),
            exec_type="F",
            side="1",
            last_qty=1,
            last_px=Decimal(px),
            effective_qty=1,
            effective_px=Decimal(px),
            session_epoch="e",
            msg_seq_num=number,
            event_id=new_id(),
            event_at=AT,
            received_at=AT,
            recorded_at=AT,
            trade_date=AT.date(),
            settlement_date=AT.date(),
        )
    publish_prices(flow, at=later)
    price = ReferencePrice.objects.get(listing_id=order.listing_id)
    assert (price.last, price.source, price.priced_at) == (Decimal("11.5"), FEED, later)
    ReferencePrice.objects.filter(pk=price.pk).update(last=Decimal(12))
    publish_prices(flow, at=later + timedelta(seconds=1))
    price.refresh_from_db()
    assert price.last == Decimal(12)
