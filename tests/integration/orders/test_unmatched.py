"""Reports that name no order of ours: kept once, their executions in suspense, folded where they belong once it is known."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Booking, CashBalance, Holding, SuspenseAccount, TradingAccount
from journal.models import Event
from kernel.fix import ExecType, OrdStatus, Side
from orders.domain.kept_report import kept, report_of
from orders.domain.report import Report
from orders.domain.results import CaptureResult
from orders.models import Execution, Order, UnknownOrder, UnmatchedReport, VenueName
from orders.services.apply_reports import apply_reports
from orders.services.match_waiting_reports import match_waiting_reports
from orders.services.record_phoned_order import record_phoned_order
from orders.services.record_routes import record_routes
from tests.factories import AT, DeskWorld, make_account, make_desk
from tests.integration.orders.test_apply_reports import LATER, report, sent

pytestmark = pytest.mark.django_db
D = Decimal
NAMED = {"symbol": "VOD", "market": "XLON", "side": "1"}


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


@pytest.fixture
def suspense(world: DeskWorld) -> TradingAccount:
    account = make_account("SUSPENSE", group=world.group, cash="0")
    SuspenseAccount.objects.create(desk=None, account=account)
    return account


def routed(world: DeskWorld) -> CaptureResult:
    order = sent(world)
    record_routes(routes={order.order_id: "SIM1"}, at=AT)
    return order


def life(order: CaptureResult) -> list[Report]:
    """Acknowledged by name; traded, corrected and busted under the venue's OrderID alone."""
    unnamed: dict[str, Any] = {"cl_ord_id": None, **NAMED}
    return [
        report(order, 1, ExecType.NEW, OrdStatus.NEW),
        report(order, 2, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=D(400), last_px=D("72.40"), **unnamed),
        report(order, 3, ExecType.TRADE, OrdStatus.FILLED, last_qty=D(600), last_px=D("72.50"), **unnamed),
        report(
            order, 4, ExecType.TRADE_CORRECT, OrdStatus.PARTIALLY_FILLED, last_qty=D(300), last_px=D("72.40"),
            exec_ref_id="X2", **unnamed,
        ),
        report(order, 5, ExecType.TRADE_CANCEL, OrdStatus.PARTIALLY_FILLED, exec_ref_id="X3", **unnamed),
    ]  # fmt: skip


def stray(order: CaptureResult, seq: int = 2, **more: Any) -> Report:
    """A trade of 400 on an order V9 of which nobody knows."""
    values: dict[str, Any] = {"cl_ord_id": None, "venue_order_id": "V9", "last_qty": D(400), "last_px": D("72.40")}
    return report(order, seq, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, **(values | NAMED | more))


def end_state() -> tuple[Any, ...]:
    row = Order.objects.get()
    return (
        row.ord_status, row.cum_qty, row.leaves_qty, row.avg_px, row.venue_order_id, row.is_open,
        sorted(Execution.objects.values_list("identity", "effective_qty", "effective_px", "exec_ref_id")),
        sorted(CashBalance.objects.values_list("account__code", "settled", "pending", "reserved")),
        sorted(h for h in Holding.objects.values_list("account__code", "pending") if h[1]),
        list(UnmatchedReport.objects.filter(order=None)),
    )  # fmt: skip


def open_anomalies() -> list[str]:
    last: dict[str, Event] = {}
    for event in Event.objects.filter(stream__startswith="anomaly:").order_by("seq"):
        last[event.stream] = event
    return sorted(e.payload["kind"] for e in last.values() if e.kind == "AnomalyRaised")


def test_a_report_survives_its_keeping_whole(world: DeskWorld) -> None:
    full = replace(
        stray(sent(world)), exec_ref_id="r", order_qty=D("1.50"), price=D(2), poss_resend=True, wire_message_id=9
    )
    assert report_of(kept(full)) == full


def test_any_permutation_and_any_batch_end_the_same(world: DeskWorld, suspense: TradingAccount) -> None:
    order = routed(world)
    apply_reports(reports=life(order), at=LATER)
    expected = end_state()
    assert expected[:4] == ("1", D(300), D(700), D("72.40"))


@pytest.mark.parametrize("seed", range(8))
def test_disorder_does_not_matter(world: DeskWorld, suspense: TradingAccount, seed: int) -> None:
    order = routed(world)
    reports = life(order)
    chance = random.Random(seed)
    chance.shuffle(reports)
    size = 1 + seed % 3
    for start in range(0, len(reports), size):
        apply_reports(reports=reports[start : start + size], at=LATER)
        apply_reports(reports=chance.sample(reports[: start + size], 1), at=LATER)
    status, cum, leaves, avg, venue_id, is_open, executions, cash, stock, waiting = end_state()
    assert (status, cum, leaves, avg, venue_id, is_open) == ("1", D(300), D(700), D("72.40"), "V1", True)
    assert executions == [("e1:2", D(300), D("72.40"), "X4"), ("e1:3", D(0), D("72.50"), "X5")]
    assert cash == [
        ("ACC-EQ1", D(100000), D("-217.20"), D("507.50")),
        ("SUSPENSE", D(0), D(0), D(0)),
    ]
    assert (stock, waiting, open_anomalies()) == ([("ACC-EQ1", D(300))], [], [])
    assert set(UnknownOrder.objects.values_list("state", "booked_qty")) <= {("matched", D(0))}


def test_a_batch_that_explains_itself_keeps_nothing(world: DeskWorld, suspense: TradingAccount) -> None:
    order = routed(world)
    result = apply_reports(reports=life(order)[::-1], at=LATER)
    assert (result.applied, result.unmatched, result.anomalies) == (5, 0, 0)
    assert (UnmatchedReport.objects.count(), open_anomalies()) == (0, [])


def test_what_waits_is_kept_once_and_lies_in_suspense(world: DeskWorld, suspense: TradingAccount) -> None:
    order = routed(world)
    for _ in range(2):
        apply_reports(reports=[stray(order)], at=LATER)
    unknown = UnknownOrder.objects.get()
    assert (unknown.state, unknown.name, unknown.booked_qty, unknown.booked_cash) == (
        "suspense", "V9", D(400), D("-289.60"),
    )  # fmt: skip
    assert (unknown.account_id, unknown.listing_id) == (suspense.id, world.listing.id)
    assert UnmatchedReport.objects.count() == 1
    assert CashBalance.objects.get(account=suspense).pending == D("-289.60")
    assert Holding.objects.get(account=suspense).pending == D(400)
    assert CashBalance.objects.get(account=world.account).pending == 0
    assert Execution.objects.count() == 0
    assert open_anomalies() == ["UNKNOWN_ORDER"]
    raised = Event.objects.filter(kind="AnomalyRaised")
    assert [event.payload["sentence"] for event in raised] == [
        "Session SIM1-A reported on order V9, which is none of ours; 400 units lie in suspense."
    ]


def test_a_bust_of_an_unknown_order_moves_its_money_back_in_any_order(
    world: DeskWorld, suspense: TradingAccount
) -> None:
    order = routed(world)
    bust = replace(stray(order, 3), exec_type=ExecType.TRADE_CANCEL, exec_ref_id="X2")
    apply_reports(reports=[bust], at=LATER)
    assert CashBalance.objects.get(account=suspense).pending == 0
    apply_reports(reports=[stray(order)], at=LATER)
    assert CashBalance.objects.get(account=suspense).pending == 0
    apply_reports(reports=[stray(order, 4, last_qty=D(100))], at=LATER)
    assert CashBalance.objects.get(account=suspense).pending == D("-72.40")
    booked = Booking.objects.filter(order_id=UnknownOrder.objects.get().id, currency="GBP")
    assert sum(booked.values_list("amount", flat=True)) == D("-72.40")


def test_an_instrument_nobody_can_tell_books_nothing_and_is_still_told(
    world: DeskWorld, suspense: TradingAccount
) -> None:
    apply_reports(reports=[stray(routed(world), symbol="NOPE")], at=LATER)
    assert (UnknownOrder.objects.get().state, Booking.objects.count()) == ("waiting", 0)
    assert open_anomalies() == ["UNKNOWN_ORDER"]


def test_another_session_group_does_not_explain(world: DeskWorld, suspense: TradingAccount) -> None:
    order = routed(world)
    elsewhere = stray(order, venue_order_id="V1", session="SIM2-A")
    apply_reports(reports=[elsewhere], at=LATER)
    apply_reports(reports=[life(order)[0]], at=LATER)
    assert (UnmatchedReport.objects.filter(order=None).count(), Order.objects.get().cum_qty) == (1, D(0))


def test_an_order_recorded_later_is_joined_by_the_sweeper(world: DeskWorld, suspense: TradingAccount) -> None:
    apply_reports(reports=[stray(routed(world), order_qty=D(400))], at=LATER)
    order_id = record_phoned_order(
        actor=world.dealer, at=LATER, account=world.account.code, symbol=world.listing.symbol, side=Side.BUY,
        session_group="SIM1", venue_order_id="V9",
    )  # fmt: skip
    assert (match_waiting_reports(at=LATER), match_waiting_reports(at=LATER)) == (1, 0)
    order = Order.objects.get(id=order_id)
    assert (order.ord_status, order.cum_qty) == ("2", D(400))
    assert CashBalance.objects.get(account=suspense).pending == 0
    assert CashBalance.objects.get(account=world.account).pending == D("-289.60")
    assert (open_anomalies(), UnknownOrder.objects.get().state) == ([], "matched")


@pytest.mark.parametrize("arrival", list(itertools.permutations(range(3))))
def test_every_name_a_venue_ever_used_is_known(world: DeskWorld, arrival: tuple[int, ...]) -> None:
    """The venue calls the order V1, then V2; a trade under either name is the order's, whoever came first."""
    order = routed(world)
    reports = [
        report(order, 1, ExecType.NEW, OrdStatus.NEW, venue_order_id="V1"),
        report(order, 2, ExecType.RESTATED, OrdStatus.NEW, venue_order_id="V2"),
        stray(order, 3, venue_order_id="V1"),
    ]
    for place in arrival:
        apply_reports(reports=[reports[place]], at=LATER)
    row = Order.objects.get()
    assert (row.cum_qty, open_anomalies()) == (D(400), [])
    assert "V2" in {row.venue_order_id, *VenueName.objects.values_list("venue_order_id", flat=True)}


def test_nothing_is_looked_up_while_nothing_waits(world: DeskWorld, django_assert_max_num_queries: Any) -> None:
    order = routed(world)
    with django_assert_max_num_queries(60) as queries:
        apply_reports(reports=life(order)[:1], at=LATER)
    asked = [q["sql"] for q in queries.captured_queries if "orders_unmatchedreport" in q["sql"]]
    assert len(asked) == 1
    assert "EXISTS" in asked[0]
