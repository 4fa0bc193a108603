"""The end of a day of business: step by step, never before the close, never a guess about an order, once whoever runs it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import ClosedDay
from authorisation.domain.principal import process_principal
from journal.models import Event, Process, Snapshot
from kernel.errors import Invalid, NotFound, NotPermitted
from kernel.fix import ExecType, OrdStatus, TimeInForce
from kernel.ids import new_id
from operations.domain.day_steps import END, in_order
from operations.models import DayRun
from operations.selectors.days import days_to_end, due_runs, last_ended_day, list_day_states
from operations.services.run_day import run_day
from operations.services.run_due_days import run_due_days
from orders.models import Order
from orders.services.apply_reports import apply_reports
from refdata.models import Market
from refdata.selectors import get_market_clock
from tests.factories import DeskWorld, make_desk
from tests.factories.feeds import FRIDAY, MONDAY, TUESDAY, anomalies, make_calendar
from tests.factories.seals import sealing_in
from tests.integration.orders.test_apply_reports import report, sent

pytestmark = pytest.mark.django_db
DAY = process_principal("day")
D = Decimal


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> DeskWorld:
    """A desk in London that closes at 16:30, on a Friday before a bank holiday."""
    sealing_in(tmp_path, settings)
    world = make_desk()
    make_calendar(holidays=[MONDAY])
    Market.objects.update(always_open=False, version=new_id())
    return world


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


def end(moment: datetime, day: date = FRIDAY) -> DayRun:
    return run_day(kind=END, place="XLON", day=day, actor=DAY, at=moment)


def expired(order: Any, seq: int) -> None:
    apply_reports(reports=[report(order, seq, ExecType.EXPIRED, OrdStatus.EXPIRED)], at=at(FRIDAY, 16, 31))


def test_nothing_happens_before_the_close_and_its_grace(world: DeskWorld) -> None:
    for moment in (at(FRIDAY, 12), at(FRIDAY, 16, 44)):
        run = end(moment)
        assert (run.state, list(run.steps), run.steps["close"]["sentence"]) == (
            "waiting", ["close"], "XLON closes at 2026-11-20 16:30 UTC, and has until 16:45.",
        )  # fmt: skip
    assert (ClosedDay.objects.count(), Event.objects.filter(stream="day:XLON").count()) == (0, 0)


def test_a_day_on_which_everything_is_over_ends_at_once(world: DeskWorld) -> None:
    order = sent(world)
    apply_reports(reports=[report(order, 1, ExecType.NEW, OrdStatus.NEW)], at=at(FRIDAY, 11))
    expired(order, 2)
    run = end(at(FRIDAY, 16, 45))
    assert (run.state, run.finished_at) == ("done", at(FRIDAY, 16, 45))
    assert [step for step, kept in in_order(END, run.steps).items() if kept["done"]] == [
        "close", "expire", "roll", "positions", "notes", "compare", "seal", "picture", "report",
    ]  # fmt: skip
    assert (run.steps["expire"]["figures"], run.steps["roll"]["figures"]) == (
        {"open": 0}, {"carried": 0, "rolled": 0},
    )  # fmt: skip
    assert run.steps["positions"]["figures"] == {"cash": 1, "stock": 0}
    assert ClosedDay.objects.get().day == FRIDAY
    told = Event.objects.get(stream="day:XLON", kind="DayEnded")
    assert (told.business_date, told.payload["steps"]["expire"]["sentence"]) == (FRIDAY, "No order of the day is open.")
    assert anomalies() == []


def test_a_good_till_order_goes_on(world: DeskWorld) -> None:
    order = sent(world, time_in_force=TimeInForce.GTC)
    apply_reports(reports=[report(order, 1, ExecType.NEW, OrdStatus.NEW)], at=at(FRIDAY, 11))
    run = end(at(FRIDAY, 16, 45))
    assert (run.state, run.steps["roll"]["figures"]["carried"]) == ("done", 1)
    assert Order.objects.get().is_open


def test_an_open_day_order_is_waited_for_and_then_somebodys_matter_never_ended_by_us(world: DeskWorld) -> None:
    order = sent(world)
    apply_reports(reports=[report(order, 1, ExecType.NEW, OrdStatus.NEW)], at=at(FRIDAY, 11))
    run = end(at(FRIDAY, 16, 50))
    assert (run.state, run.steps["expire"]["sentence"]) == (
        "waiting", "1 orders of the day are open; the venue has until 17:15 UTC.",
    )  # fmt: skip
    assert anomalies() == []
    run = end(at(FRIDAY, 17, 15))
    assert (run.state, run.steps["expire"]["figures"]) == ("done", {"open": 1, "orders": [str(order.order_id)]})
    assert anomalies() == [("DAY_ORDER_NOT_OVER", "R")]
    assert (Order.objects.get().is_open, Order.objects.get().ord_status) == (True, "0")
    assert run.steps["report"]["figures"]["left_open"] == 1
    expired(order, 2)
    end(at(TUESDAY, 17, 15), TUESDAY)
    assert anomalies() == [("DAY_ORDER_NOT_OVER", "R"), ("DAY_ORDER_NOT_OVER", "C")]


def test_the_venues_word_in_time_is_enough(world: DeskWorld) -> None:
    order = sent(world)
    apply_reports(reports=[report(order, 1, ExecType.NEW, OrdStatus.NEW)], at=at(FRIDAY, 11))
    assert end(at(FRIDAY, 16, 50)).state == "waiting"
    expired(order, 2)
    assert (end(at(FRIDAY, 16, 55)).state, anomalies()) == ("done", [])


def test_an_ended_day_is_ended(world: DeskWorld) -> None:
    first = end(at(FRIDAY, 17))
    seals = Event.objects.count()
    again = end(at(FRIDAY, 18))
    assert (again.id, again.updated_at, Event.objects.count()) == (first.id, at(FRIDAY, 17), seals)


def test_the_calendar_says_what_is_due(world: DeskWorld) -> None:
    sent(world)
    clock = get_market_clock("XLON")
    assert last_ended_day(clock, at(FRIDAY, 16)) == FRIDAY - timedelta(days=1)
    assert [last_ended_day(clock, at(day, 17)) for day in (FRIDAY, MONDAY)] == [FRIDAY, FRIDAY]
    assert due_runs(at=at(FRIDAY, 16)) == []  # Thursday was before the house
    assert due_runs(at=at(MONDAY, 12)) == [(END, "XLON", FRIDAY)]
    assert (run_due_days(at=at(MONDAY, 12)), run_due_days(at=at(MONDAY, 13))) == (1, 0)
    assert [run.day for run in DayRun.objects.all()] == [FRIDAY]


def test_round_the_clock_a_day_ends_at_midnight(world: DeskWorld) -> None:
    clock = get_market_clock("XLON").with_always_open(True)
    saturday = FRIDAY + timedelta(days=1)
    assert last_ended_day(clock, at(saturday, 0, 14)) == FRIDAY - timedelta(days=1)
    assert last_ended_day(clock, at(saturday, 0, 15)) == FRIDAY


def test_the_snapshot_of_a_living_picture_is_waited_for(world: DeskWorld) -> None:
    Process.objects.create(
        id="h:1", name="picture", build="b", fingerprint="f", parts="", clock_offset_ms=0,
        started_at=at(FRIDAY, 6), seen_at=datetime.now(UTC),
    )  # fmt: skip
    run = end(at(FRIDAY, 17))
    assert (run.state, run.steps["picture"]["done"]) == ("waiting", False)
    Snapshot.objects.create(
        projection="picture", version=1, position=7, taken_at=at(FRIDAY, 16, 59), body=b"{}", sha256=b""
    )
    run = end(at(FRIDAY, 17, 1))
    assert (run.state, run.steps["picture"]["figures"]) == ("done", {"position": 7})


def test_a_picture_that_takes_none_holds_up_no_day(world: DeskWorld) -> None:
    Process.objects.create(
        id="h:1", name="picture", build="b", fingerprint="f", parts="", clock_offset_ms=0,
        started_at=at(FRIDAY, 6), seen_at=datetime.now(UTC),
    )  # fmt: skip
    assert end(at(FRIDAY, 17)).state == "waiting"
    assert end(at(FRIDAY, 17, 11)).state == "done"


def test_what_cannot_be_done_now_is_said_tried_again_and_in_the_end_somebodys_matter(
    world: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shut(**_: Any) -> None:
        raise Invalid("NOT_NOW", "The vault is shut.")

    monkeypatch.setattr("operations.services._end_of_day.close_day", shut)
    run = end(at(FRIDAY, 17))
    assert (run.state, run.steps["positions"]["sentence"], anomalies()) == ("waiting", "The vault is shut.", [])
    end(at(FRIDAY, 19, 1))
    assert anomalies() == [("DAY_RUN_STANDS", "R")]
    monkeypatch.undo()
    assert (end(at(FRIDAY, 19, 2)).state, anomalies()[-1]) == ("done", ("DAY_RUN_STANDS", "C"))


def test_a_person_needs_the_right(world: DeskWorld) -> None:
    with pytest.raises(NotPermitted, match="RIGHT_MISSING"):
        run_day(kind=END, place="XLON", day=FRIDAY, actor=world.dealer, at=at(FRIDAY, 17))
    assert DayRun.objects.count() == 0


def test_what_can_be_asked_for(world: DeskWorld) -> None:
    assert days_to_end(mic="", day=None, at=at(MONDAY, 12)) == [("XLON", FRIDAY)]
    assert days_to_end(mic="XLON", day=FRIDAY, at=at(MONDAY, 12)) == [("XLON", FRIDAY)]
    with pytest.raises(NotFound, match="MARKET_UNKNOWN"):
        days_to_end(mic="XXXX", day=None, at=at(FRIDAY, 12))
    for day in (MONDAY, TUESDAY):
        with pytest.raises(Invalid, match="DAY_IS_NONE"):
            days_to_end(mic="", day=day, at=at(FRIDAY, 12))


def test_how_far_it_is_can_be_read(world: DeskWorld) -> None:
    sent(world)
    end(at(FRIDAY, 16))
    (state,) = list_day_states()
    assert (state.progress.at, state.progress.of, state.progress.says, state.expected_end) == (
        0, 9, "The market has closed", None,
    )  # fmt: skip
    end(at(FRIDAY, 17, 30))
    end(at(TUESDAY, 16), TUESDAY)
    newest, done = list_day_states()
    assert (done.progress.at, done.progress.says, done.expected_end) == (9, "Done", at(FRIDAY, 17, 30))
    assert newest.expected_end == at(TUESDAY, 17, 30)  # as long as the one before took


def test_a_run_keeps_its_day_and_its_table(world: DeskWorld) -> None:
    end(at(FRIDAY, 17))
    for change in ("SET day = '2026-01-01'", "SET state = 'waiting', finished_at = NULL"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE operations_dayrun {change}")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM operations_dayrun")
