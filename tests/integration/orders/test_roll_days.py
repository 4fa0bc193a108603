"""Done for day ends with the day: good-till orders wake on their market's next trading day, not on a holiday, and once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from accounts.models import CashBalance
from journal.models import Event
from kernel.errors import Unavailable
from kernel.fix import ExecType, OrdStatus, TimeInForce
from orders.domain.report import Report
from orders.domain.results import CaptureResult
from orders.models import Order
from orders.services import roll_days as rolling
from orders.services.apply_reports import apply_reports
from orders.services.roll_days import roll_days
from refdata.models import Market, MarketDay
from tests.factories import AT, DeskWorld, make_desk
from tests.integration.orders.test_apply_reports import report, sent

pytestmark = pytest.mark.django_db
D = Decimal
FRIDAY = AT.date()  # 20 November 2026
MONDAY, TUESDAY, WEDNESDAY = (FRIDAY + timedelta(days=n) for n in (3, 4, 5))


@pytest.fixture
def world() -> DeskWorld:
    """London closed on Monday 23 November, as on a bank holiday."""
    world = make_desk()
    market = Market.objects.get()
    for day in (FRIDAY, TUESDAY, WEDNESDAY):
        opens = datetime.combine(day, time(8), UTC)
        MarketDay.objects.create(
            market=market, date=day, is_session=True, open_at=opens, close_at=opens + timedelta(hours=8.5)
        )
    Market.objects.update(always_open=False, version=2)
    return world


def at(day: date, hour: int = 9) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def done_for_day(order: CaptureResult, seq: int, day: date, status: OrdStatus = OrdStatus.DONE_FOR_DAY) -> Report:
    return report(
        order, seq, ExecType.DONE_FOR_DAY, status, trade_date=day, received_at=at(day, 17), event_at=at(day, 17)
    )


def part(order: CaptureResult, seq: int, day: date) -> Report:
    return report(
        order, seq, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=D(400), last_px=D("72.50"), trade_date=day
    )


def resting(world: DeskWorld, key: str = "k1", **changes: object) -> CaptureResult:
    """Good till canceled, part filled and done for Friday."""
    order = sent(world, key, **({"time_in_force": TimeInForce.GTC} | changes))
    reports = [
        report(order, 1, ExecType.NEW, OrdStatus.NEW),
        part(order, 2, FRIDAY),
        done_for_day(order, 3, FRIDAY),
    ]
    apply_reports(
        reports=[replace(one, identity=f"{key}:{n}", venue_order_id=key) for n, one in enumerate(reports)],
        at=at(FRIDAY, 17),
    )
    assert Order.objects.get(id=order.order_id).ord_status == "3"
    return order


def statuses() -> list[str | None]:
    return list(Order.objects.order_by("id").values_list("ord_status", flat=True))


def test_a_good_till_order_wakes_on_the_next_trading_day(world: DeskWorld) -> None:
    order = resting(world)
    held = CashBalance.objects.get().reserved
    for moment in (at(FRIDAY, 18), at(FRIDAY, 23), at(FRIDAY + timedelta(days=1)), at(MONDAY)):
        assert (roll_days(at=moment), statuses()) == (0, ["3"])
    assert roll_days(at=at(TUESDAY, 0)) == 1
    assert roll_days(at=at(TUESDAY, 1)) == 0
    row = Order.objects.get()
    assert (row.ord_status, row.leaves_qty, row.is_open, row.state_date) == ("1", D(600), True, TUESDAY)
    event = Event.objects.filter(stream=f"order:{order.order_id}").latest("seq")
    assert (event.kind, event.business_date, event.payload["ord_status_before"]) == ("TradingDayTurned", TUESDAY, "3")
    assert (row.version, row.last_event_seq, bytes(row.last_event_hash)) == (event.seq, event.seq, bytes(event.hash))
    assert CashBalance.objects.get().reserved == held


def test_a_day_order_stays_done(world: DeskWorld) -> None:
    resting(world, time_in_force=TimeInForce.DAY)
    assert (roll_days(at=at(TUESDAY)), statuses()) == (0, ["3"])


def test_a_late_report_of_the_day_before_does_not_put_it_back_to_sleep(world: DeskWorld) -> None:
    order = resting(world)
    roll_days(at=at(TUESDAY))
    late = replace(part(order, 4, FRIDAY), identity="late")
    apply_reports(reports=[late], at=at(TUESDAY))
    assert (statuses(), Order.objects.get().cum_qty) == (["1"], D(800))


def test_an_order_that_is_done_again_sleeps_again_and_wakes_again(world: DeskWorld) -> None:
    order = resting(world)
    roll_days(at=at(TUESDAY))
    apply_reports(reports=[replace(done_for_day(order, 5, TUESDAY), identity="again")], at=at(TUESDAY, 17))
    assert (roll_days(at=at(TUESDAY, 18)), statuses()) == (0, ["3"])
    assert (roll_days(at=at(WEDNESDAY)), statuses()) == (1, ["1"])


def test_many_are_woken_in_slices(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling, "SLICE", 2)
    for n in range(5):
        resting(world, f"k{n}")
    assert (roll_days(at=at(TUESDAY)), statuses()) == (5, ["1"] * 5)


def test_a_market_without_calendar_is_said_and_holds_up_no_other(world: DeskWorld) -> None:
    resting(world)
    MarketDay.objects.all().delete()
    Market.objects.update(version=3)
    with pytest.raises(Unavailable, match="CALENDAR_MISSING"):
        roll_days(at=at(TUESDAY))
    assert statuses() == ["3"]
