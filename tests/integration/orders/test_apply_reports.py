"""Reports through the database: executions, snapshot, holds and bookings come out the same whatever the disorder."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Booking, CashBalance, Holding, Reservation
from journal.models import Event
from kernel.fix import ExecType, OrdStatus
from kernel.ids import new_id
from orders.domain.report import Position, Report
from orders.domain.results import CaptureResult
from orders.models import Execution, Order, OrderRequest, UnmatchedReport
from orders.services.apply_reports import apply_reports
from orders.services.capture_order import capture_order
from orders.services.record_hand_over import record_hand_over
from refdata.models import Market
from tests.factories import AT, DeskWorld, make_desk, terms

pytestmark = pytest.mark.django_db
D = Decimal
LATER = AT + timedelta(seconds=5)


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def sent(world: DeskWorld, key: str = "k1", **changes: Any) -> CaptureResult:
    """An order that was handed over."""
    result = capture_order(
        actor=world.dealer, at=AT, idempotency_key=key, route="t", terms=terms(world, **changes), source="ticket"
    )
    assert result.outcome == "released", result.sentence
    record_hand_over(request_ids=[result.request_id], at=AT)
    return result


def report(order: CaptureResult, seq: int, kind: ExecType, status: OrdStatus, **more: Any) -> Report:
    """One execution report on the order."""
    defaults: dict[str, Any] = {
        "msg_type": "8",
        "position": Position("e1", seq),
        "identity": f"e1:{seq}",
        "received_at": LATER,
        "event_at": LATER,
        "trade_date": AT.date(),
        "exec_type": kind,
        "ord_status": status,
        "cl_ord_id": order.cl_ord_id,
        "venue_order_id": "V1",
        "exec_id": f"X{seq}",
        "session": "SIM1-A",
    }
    return Report(**(defaults | more))


def life(order: CaptureResult) -> list[Report]:
    """New, two fills of 400 and 600, the first one corrected to 300."""
    return [
        report(order, 1, ExecType.NEW, OrdStatus.NEW, leaves_qty=Decimal(1000)),
        report(order, 2, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=Decimal(400), last_px=Decimal("72.40")),
        report(order, 3, ExecType.TRADE, OrdStatus.FILLED, last_qty=Decimal(600), last_px=Decimal("72.50")),
        report(
            order,
            4,
            ExecType.TRADE_CORRECT,
            OrdStatus.PARTIALLY_FILLED,
            last_qty=Decimal(300),
            last_px=Decimal("72.40"),
            exec_ref_id="X2",
        ),
    ]


def test_a_fill_books_pending_and_frees_its_share(world: DeskWorld) -> None:
    order = sent(world)
    result = apply_reports(reports=life(order)[:2], at=LATER)
    assert (result.applied, result.duplicates, result.unmatched, result.anomalies) == (2, 0, 0, 0)
    row = Order.objects.get()
    assert (row.ord_status, row.cum_qty, row.leaves_qty, row.avg_px) == ("1", D(400), D(600), D("72.40"))
    assert (row.venue_order_id, row.is_open, row.request_state) == ("V1", True, "accepted")
    cash = CashBalance.objects.get()
    assert (cash.settled, cash.pending, cash.reserved) == (Decimal(100000), Decimal("-289.60"), Decimal("435.00"))
    assert Holding.objects.get().pending == Decimal(400)
    assert Reservation.objects.get().cash == Decimal("435.00")
    assert OrderRequest.objects.get().state == "accepted"
    execution = Execution.objects.get()
    assert (execution.effective_qty, execution.effective_px, execution.settlement_date.isoformat()) == (
        Decimal(400),
        Decimal("72.40"),
        "2026-11-24",
    )


def test_a_trade_date_that_is_not_said_is_the_markets(world: DeskWorld) -> None:
    """At 00:30 UTC New York still has the evening before: a trade without TradeDate (75) is of that day, and settles by it."""
    Market.objects.filter(mic=world.listing.market_id).update(time_zone="America/New_York", version=new_id())
    order, night = sent(world), datetime(2026, 11, 21, 0, 30, tzinfo=UTC)
    told: dict[str, Any] = {"event_at": night, "trade_date": night.date(), "last_px": D("72.40")}
    apply_reports(
        reports=[
            report(order, 1, ExecType.NEW, OrdStatus.NEW, undated=True, event_at=night, trade_date=night.date()),
            report(order, 2, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, undated=True, last_qty=D(400), **told),
            report(order, 3, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=D(100), **told),
            report(order, 4, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, undated=True, cl_ord_id=None, venue_order_id="V9",
                   market="XLON", last_qty=D(7), **told),
        ],
        at=night,
    )  # fmt: skip
    days = {one.exec_id: (one.trade_date, one.settlement_date) for one in Execution.objects.all()}
    assert days["X2"] == (date(2026, 11, 20), date(2026, 11, 24))
    assert days["X3"][0] == night.date()
    assert Order.objects.get().ord_status == "1"
    dated = list(Event.objects.filter(kind="ReportApplied").order_by("seq").values_list("business_date", flat=True))
    assert dated == [date(2026, 11, 20), date(2026, 11, 20), night.date()]
    assert UnmatchedReport.objects.get().report["trade_date"] == "2026-11-20"


def end_state() -> tuple[Any, ...]:
    order = Order.objects.get()
    cash, holding = CashBalance.objects.get(), Holding.objects.get()
    return (
        order.ord_status,
        order.cum_qty,
        order.leaves_qty,
        order.avg_px,
        order.facts,
        cash.pending,
        cash.reserved,
        holding.pending,
        sorted(Execution.objects.values_list("identity", "effective_qty", "effective_px", "exec_ref_id")),
        sum(Booking.objects.filter(currency="GBP").values_list("amount", flat=True)),
        OrderRequest.objects.get().state,
    )


@pytest.mark.parametrize("seed", range(6))
def test_disorder_duplicates_and_batch_size_do_not_matter(world: DeskWorld, seed: int) -> None:
    order = sent(world)
    reports = life(order) * 2
    random.Random(seed).shuffle(reports)
    size = 1 + seed
    for start in range(0, len(reports), size):
        apply_reports(reports=reports[start : start + size], at=LATER)
    status, cum, leaves, avg, _, pending, reserved, stock, executions, booked, state = end_state()
    assert (status, cum, leaves, avg) == ("1", Decimal(900), Decimal(100), Decimal("72.4666666667"))
    assert (pending, reserved, stock, booked) == (
        Decimal("-652.20"),
        Decimal("72.50"),
        Decimal(900),
        Decimal("-652.20"),
    )
    assert executions == [
        ("e1:2", Decimal(300), Decimal("72.40"), "X4"),
        ("e1:3", Decimal(600), Decimal("72.50"), ""),
    ]
    assert state == "accepted"


def test_a_report_on_no_order_of_ours_is_an_anomaly_and_books_nothing(world: DeskWorld) -> None:
    order = sent(world)
    stray = replace(life(order)[1], cl_ord_id="F9999999999.1", venue_order_id="V9")
    result = apply_reports(reports=[stray], at=LATER)
    assert (result.applied, result.unmatched, result.anomalies) == (0, 1, 1)
    assert Execution.objects.count() == 0
    assert CashBalance.objects.get().pending == 0
    assert Event.objects.get(kind="AnomalyRaised").payload["kind"] == "UNKNOWN_ORDER"
