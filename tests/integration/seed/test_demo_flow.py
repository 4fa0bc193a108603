"""The demo flow enters real orders through the capture service, keeps within its bounds and stops when it must."""

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
from allocations.models import IntendedAllocation
from authorisation.models import AuthorisationRequest, User
from kernel.errors import Refused
from kernel.fix import ExecType, OrdStatus
from kernel.ids import new_id
from oms_project import demo_flow
from oms_project.demo_blocks import Blocks, enter_block
from oms_project.demo_flow import Flow, run, step, survey
from operations.services.pause_flow import pause_flow
from orders.domain.report import Position, Report
from orders.models import Order, OrderRequest
from orders.services.apply_reports import apply_reports
from orders.services.record_hand_over import record_hand_over
from refdata.models import ReferencePrice
from risk.models import Block
from venues.models import FixSession

AT = datetime.now(UTC)


@pytest.fixture(autouse=True)
def house(demo: Path) -> None:
    """Sessions logged on and prices of now."""
    FixSession.objects.update(state=FixSession.State.LOGGED_ON)
    ReferencePrice.objects.update(priced_at=datetime.now(UTC))


def surveyed(seed: int = 1) -> Flow:
    flow = Flow(random=Random(seed))
    survey(flow, at=datetime.now(UTC))
    return flow


def enter(flow: Flow, count: int) -> None:
    for _ in range(count):
        demo_flow._enter(flow, at=datetime.now(UTC))


def acknowledge(order: Order) -> None:
    """Handed to the venue and, as far as the flow looks, taken by it."""
    at, request = datetime.now(UTC), order.requests.get()
    record_hand_over(request_ids=[request.id], at=at)
    taken = Report(
        msg_type="8",
        position=Position("1", 1),
        identity=f"1|{order.ref}",
        received_at=at,
        event_at=at,
        trade_date=at.date(),
        exec_type=ExecType.NEW,
        ord_status=OrdStatus.NEW,
        cl_ord_id=request.cl_ord_id,
        venue_order_id=f"V-{order.ref}",
        session="SIM1-A",
    )
    assert apply_reports(reports=[taken], at=at).applied == 1


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


def test_block_orders_are_for_named_clients_before_they_can_trade_and_come_when_due() -> None:
    flow = surveyed()
    for _ in range(6):
        assert enter_block(flow.random, tuple(flow.traders.values()), flow.open_mics, at=datetime.now(UTC))
    orders = {order.id: order for order in Order.objects.select_related("account")}
    assert {order.account.code[:6] for order in orders.values()} == {"BLOCK-"}
    for intended in IntendedAllocation.objects.all():
        order = orders.pop(intended.order_id)
        assert sum(Decimal(line["target"]) for line in intended.lines) == order.order_qty
    assert orders == {}
    due = Blocks(flow.random)
    assert not due.step(tuple(flow.traders.values()), flow.open_mics, at=datetime.now(UTC))
    due.due = 0
    assert due.step(tuple(flow.traders.values()), flow.open_mics, at=datetime.now(UTC))
    assert (due.entered, due.due > 0) == (1, True)


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


def test_a_silent_price_feed_stops_the_flow() -> None:
    ReferencePrice.objects.update(priced_at=AT - timedelta(seconds=30))
    enter(surveyed(), 10)
    assert Order.objects.count() == 0


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
    asked = list(OrderRequest.objects.exclude(kind="new").values_list("order_id", flat=True))
    assert len(asked) == len(set(asked))


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
