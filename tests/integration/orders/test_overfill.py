"""What is executed beyond OrderQty lies in suspense, exactly, until it is taken back, room is made, or somebody accepts it."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Booking, CashBalance, Holding, SuspenseAccount, TradingAccount
from journal.models import Event
from kernel.fix import ExecType, OrdStatus, Side
from orders.domain.report import Position, Report
from orders.domain.results import CaptureResult
from orders.models import Execution, Order
from orders.services.apply_reports import apply_reports
from tests.factories import DeskWorld, give_stock, make_account, make_desk
from tests.integration.orders.test_apply_reports import LATER, report, sent
from tests.integration.orders.test_unmatched import open_anomalies

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


@pytest.fixture
def suspense(world: DeskWorld) -> TradingAccount:
    """The desk's own; the firm's is another."""
    firm = make_account("FIRM-SUSPENSE", group=world.group, cash="0")
    SuspenseAccount.objects.create(desk=None, account=firm)
    account = make_account("EQ1-SUSPENSE", group=world.group, cash="0")
    SuspenseAccount.objects.create(desk=world.desk, account=account)
    return account


def trade(order: CaptureResult, seq: int, qty: int, px: str = "72.50", **more: Any) -> Report:
    return report(order, seq, ExecType.TRADE, OrdStatus.FILLED, last_qty=D(qty), last_px=D(px), **more)


def bust(order: CaptureResult, seq: int, of: int) -> Report:
    return report(order, seq, ExecType.TRADE_CANCEL, OrdStatus.PARTIALLY_FILLED, exec_ref_id=f"X{of}")


def shares() -> list[tuple[str, Decimal, Decimal]]:
    return sorted(Execution.objects.values_list("exec_id", "suspense_qty", "suspense_cash"))


def money(account: TradingAccount) -> tuple[Decimal, Decimal]:
    """Pending cash and stock, proved by the bookings."""
    cash = CashBalance.objects.get(account=account).pending
    holding = Holding.objects.filter(account=account).first()
    stock = holding.pending if holding else D(0)
    rows = Booking.objects.filter(account_id=account.id)
    assert sum(rows.filter(instrument_id=None).values_list("amount", flat=True)) == cash
    assert sum(rows.exclude(instrument_id=None).values_list("amount", flat=True)) == stock
    return cash, stock


def test_the_share_above_the_order_lies_in_the_desks_suspense(world: DeskWorld, suspense: TradingAccount) -> None:
    order = sent(world)
    apply_reports(reports=[trade(order, 1, 700), trade(order, 2, 500, "72.33")], at=LATER)
    row = Order.objects.get()
    assert (row.ord_status, row.cum_qty, row.leaves_qty, row.overfilled) == ("2", D(1200), D(0), True)
    # 500 at 72.33 pence cost 361.65; 300 of them 216.99; the rest is 144.66.
    assert shares() == [("X1", D(0), D(0)), ("X2", D(200), D("-144.66"))]
    assert money(world.account) == (D("-507.50") - D("216.99"), D(1000))
    assert money(suspense) == (D("-144.66"), D(200))
    assert open_anomalies() == ["OVERFILL"]
    event = Event.objects.get(kind="ExcessMoved")
    assert event.payload["suspense_account_id"] == str(suspense.id)
    assert (row.suspense_account_id, row.version) == (suspense.id, event.seq)


def test_a_bust_makes_room_for_what_came_after(world: DeskWorld, suspense: TradingAccount) -> None:
    order = sent(world)
    apply_reports(reports=[trade(order, 1, 700), trade(order, 2, 500, "72.33")], at=LATER)
    apply_reports(reports=[bust(order, 3, of=1)], at=LATER)
    assert shares() == [("X1", D(0), D(0)), ("X2", D(0), D(0))]
    assert (money(world.account), money(suspense)) == ((D("-361.65"), D(500)), (D(0), D(0)))
    assert (open_anomalies(), Order.objects.get().overfilled) == ([], False)


def test_a_bust_of_the_excess_itself_empties_suspense(world: DeskWorld, suspense: TradingAccount) -> None:
    order = sent(world)
    apply_reports(reports=[trade(order, 1, 1000), trade(order, 2, 50)], at=LATER)
    assert money(suspense) == (D("-36.25"), D(50))
    apply_reports(reports=[bust(order, 3, of=2)], at=LATER)
    assert (money(world.account), money(suspense)) == ((D("-725.00"), D(1000)), (D(0), D(0)))


def test_a_correction_of_the_price_is_shared(world: DeskWorld, suspense: TradingAccount) -> None:
    order = sent(world)
    apply_reports(reports=[trade(order, 1, 1100)], at=LATER)
    corrected = report(
        order, 2, ExecType.TRADE_CORRECT, OrdStatus.FILLED, last_qty=D(1100), last_px=D("71.00"), exec_ref_id="X1"
    )
    apply_reports(reports=[corrected], at=LATER)
    assert (money(world.account), money(suspense)) == ((D("-710.00"), D(1000)), (D("-71.00"), D(100)))


def test_an_upward_replace_makes_room(world: DeskWorld, suspense: TradingAccount) -> None:
    order = sent(world)
    apply_reports(reports=[trade(order, 1, 1100)], at=LATER)
    up = report(order, 2, ExecType.REPLACED, OrdStatus.NEW, order_qty=D(1050), leaves_qty=D(0))
    apply_reports(reports=[up], at=LATER)
    assert money(suspense) == (D("-36.25"), D(50))


def test_a_sale_too_many_is_short_in_suspense(world: DeskWorld, suspense: TradingAccount) -> None:
    give_stock(world.account, world.listing, "1000")
    order = sent(world, side=Side.SELL)
    apply_reports(reports=[trade(order, 1, 1100)], at=LATER)
    assert money(suspense) == (D("72.50"), D(-100))
    assert money(world.account) == (D("725.00"), D(-1000))
    assert open_anomalies() == ["OVERFILL"]


@pytest.mark.parametrize("seed", range(10))
def test_arrival_does_not_matter(world: DeskWorld, suspense: TradingAccount, seed: int) -> None:
    order = sent(world)
    reports = [
        trade(order, 1, 600, "72.31"),
        trade(order, 2, 300, "72.33"),
        trade(order, 3, 500, "72.37"),
        bust(order, 4, of=2),
        trade(order, 5, 77, "72.11"),
        report(
            order, 6, ExecType.TRADE_CORRECT, OrdStatus.FILLED, last_qty=D(501), last_px=D("72.39"), exec_ref_id="X3"
        ),
    ]
    # Told again under a later number: it stands where it was told first, whichever arrives first.
    reports = [*reports * 2, replace(reports[0], position=Position("e1", 9), poss_resend=True)]
    random.Random(seed).shuffle(reports)
    size = 1 + seed % 4
    for start in range(0, len(reports), size):
        apply_reports(reports=reports[start : start + size], at=LATER)
    # Bought 600 at 72.31, 501 at 72.39 of which 400 were ordered, 77 at 72.11 of which none was.
    own = D("-433.86") + D("-289.56")
    assert money(world.account) == (own, D(1000))
    assert money(suspense) == (D("-433.86") + D("-362.67") + D("-55.52") - own, D(178))
    assert shares() == [
        ("X1", D(0), D(0)), ("X2", D(0), D(0)), ("X3", D(101), D("-73.11")), ("X5", D(77), D("-55.52")),
    ]  # fmt: skip
    assert open_anomalies() == ["OVERFILL"]


def test_without_a_suspense_account_everything_is_booked_and_said(world: DeskWorld) -> None:
    order = sent(world)
    apply_reports(reports=[trade(order, 1, 1100)], at=LATER)
    assert money(world.account) == (D("-797.50"), D(1100))
    assert open_anomalies() == ["OVERFILL", "SUSPENSE_MISSING"]
