"""The start of a day: it waits for files that are owed, books them, waits for a second person, compares; once whoever runs it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from accounts.models import CashBalance
from authorisation.domain.principal import process_principal
from journal.models import Event
from operations.domain.day_steps import END, START, in_order, progress
from operations.models import DayRun
from operations.selectors.days import due_runs
from operations.services.run_day import run_day
from reconciliation.models import Feed, FeedFile, Intake, Run
from tests.factories.busy_day import told_desk
from tests.factories.feeds import FRIDAY, MONDAY, TUESDAY, anomalies, bring, cash_file, make_calendar, make_feed
from tests.factories.seals import sealing_in

pytestmark = pytest.mark.django_db
DAY = process_principal("day")


@pytest.fixture
def feed(tmp_path: Path, settings: Any) -> Feed:
    """The bank's cash of Friday is due on Tuesday at 06:30: Monday is a holiday."""
    settings.VAR_DIR = tmp_path
    sealing_in(tmp_path, settings)
    told_desk(cash="1000", stock="500")
    make_calendar(holidays=[MONDAY])
    return make_feed(watched_from=TUESDAY)


def at(hour: int, minute: int = 0, day: date = TUESDAY) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


def start(moment: datetime) -> DayRun:
    return run_day(kind=START, place="XLON", day=TUESDAY, actor=DAY, at=moment)


def cash(amount: str = "1010", account: str = "TOLD-EQ1") -> bytes:
    return cash_file(FRIDAY, rows=[f"{account},GBP,1000,{amount}"])


def test_it_waits_for_what_is_owed_then_books_and_compares(feed: Feed) -> None:
    run = start(at(6, 30))
    assert (run.state, run.steps["feeds"]["sentence"]) == (
        "waiting", "0 of 1 are here; waited for: Cash of the bank (waiting).",
    )  # fmt: skip
    bring(feed, cash(), at=at(6, 40))
    run = start(at(6, 41))
    assert (run.state, list(in_order(START, run.steps))) == ("done", ["feeds", "intake", "open_orders", "compare"])
    assert run.steps["intake"]["figures"] == {"files": 1, "changed": 1}
    assert CashBalance.objects.get(account__code="TOLD-EQ1", currency="GBP").settled == Decimal(1010)
    assert Run.objects.get().trigger == "start"
    assert Event.objects.get(stream="day:XLON").kind == "DayStarted"
    assert (start(at(7)).updated_at, Intake.objects.count(), Run.objects.count()) == (at(6, 41), 1, 1)


def test_a_file_that_must_be_accepted_is_waited_for_and_one_put_away_wants_another(feed: Feed) -> None:
    feed.partial = "whole"
    feed.save()
    bring(feed, cash_file(FRIDAY, rows=["TOLD-EQ1,GBP,1000,1010", "NOBODY,GBP,1,2"]), at=at(6))
    run = start(at(6, 31))
    assert (run.state, run.steps["intake"]["sentence"][:29]) == ("waiting", "A second person must accept. ")
    waiting = Intake.objects.get()
    assert waiting.state == "waiting"
    waiting.cancel()
    waiting.ended_at, waiting.sentence = at(6, 32), "Put away."
    waiting.save()
    run = start(at(6, 33))
    assert run.steps["intake"]["sentence"] == "Another file is needed. cash.csv is canceled: Put away."
    bring(feed, cash(), at=at(6, 34))
    assert (start(at(6, 35)).state, Intake.objects.count()) == ("done", 2)


def test_a_venues_open_orders_are_held_against_ours_and_what_differs_waits(feed: Feed) -> None:
    bring(feed, cash(), at=at(6, 10))
    venue = make_feed(
        code="SIM1-OPEN-ORDERS", title="Open orders at SIM1", kind="open_orders", source="SIM1", pattern="*open*",
        folder="sim1", watched_from=TUESDAY,
    )  # fmt: skip

    def listed(*rows: str) -> bytes:
        head = "cl_ord_id,mic,side,ord_status,order_qty,cum_qty,leaves_qty"
        return "\n".join(["#STATEMENT date=2026-11-20", head, *rows, f"#TRAILER rows={len(rows)}", ""]).encode()

    assert "Open orders at SIM1 (waiting)" in start(at(6, 31)).steps["feeds"]["sentence"]
    bring(venue, listed("NOBODY.1,XLON,buy,new,10,0,10"), name="open.csv", at=at(6, 32))
    run = start(at(6, 33))
    step = run.steps["open_orders"]
    assert (run.state, step["sentence"][:29]) == ("waiting", "A second person must accept. ")
    assert (step["figures"]["files"], step["figures"]["agree"], step["figures"]["ORDER_UNKNOWN"]) == (1, 0, 1)
    other = Intake.objects.get(kind="open_orders")
    other.cancel()
    other.ended_at, other.sentence = at(6, 34), "Put away."
    other.save()
    bring(venue, listed(), name="open2.csv", at=at(6, 35))
    run = start(at(6, 36))
    assert (run.state, run.steps["open_orders"]["sentence"]) == (
        "done", "1 lists of open orders: 0 orders are as we have them.",
    )  # fmt: skip


def test_a_run_that_was_done_before_a_step_was_added_stays_done(feed: Feed) -> None:
    bring(feed, cash(), at=at(6, 40))
    run = start(at(6, 41))
    del run.steps["open_orders"]
    run.save()
    assert (start(at(7)).updated_at, progress(START, run.steps).at) == (at(6, 41), 4)


def test_a_feed_that_may_be_missing_is_not_waited_for(feed: Feed) -> None:
    Feed.objects.update(mandatory=False)
    run = start(at(6, 30))
    assert (run.state, run.steps["feeds"]["sentence"]) == ("done", "0 of 1 are here.")


def test_the_calendar_says_when_it_begins(feed: Feed) -> None:
    assert [one for one in due_runs(at=at(6, 29)) if one[0] == START] == []
    assert (START, "XLON", TUESDAY) in due_runs(at=at(6, 30))
    Feed.objects.update(lag=0)  # an evening feed belongs to the end of the day
    assert [one for one in due_runs(at=at(12)) if one[0] == START] == []


def test_the_end_of_a_day_compares_what_came_in_the_evening(feed: Feed) -> None:
    rows = b"exec_id,cl_ord_id,side,symbol,last_qty,last_px\nE1,NOT-OURS,1,VOD.L,5,72.50\n"
    Feed.objects.update(kind="executions", lag=0, due=time(18))
    bring(Feed.objects.get(), b"#STATEMENT date=2026-11-20\n" + rows + b"#TRAILER rows=1\n", at=at(18, day=FRIDAY))
    run = run_day(kind=END, place="XLON", day=FRIDAY, actor=DAY, at=at(0, 30, day=date(2026, 11, 21)))
    assert (run.state, run.steps["compare"]["figures"]["runs"], run.steps["compare"]["figures"]["new"]) == (
        "done",
        1,
        1,
    )
    assert (Run.objects.get().trigger, run.steps["report"]["figures"]["open_breaks"]) == ("nightly", 1)


def test_a_large_file_that_turns_out_cut_is_refused_and_holds_up_nothing(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciliation.services.receive_file.READ_AT_THE_DOOR", 1)
    Feed.objects.update(kind="executions", lag=0)
    cut = b"#STATEMENT date=2026-11-20\nexec_id,last_qty,last_px\nE1,5,1\n#TRAILER rows=2\n"
    bring(Feed.objects.get(), cut, at=at(18, day=FRIDAY))
    run = run_day(kind=END, place="XLON", day=FRIDAY, actor=DAY, at=at(0, 30, day=date(2026, 11, 21)))
    assert run.steps["compare"]["figures"].get("unreadable") == 1, run.steps["compare"]
    assert (run.state, run.steps["compare"]["figures"]["unreadable"]) == ("done", 1)
    assert (FeedFile.objects.get().state, ("FILE_TOTALS_DIFFER", "R") in anomalies()) == ("refused", True)
