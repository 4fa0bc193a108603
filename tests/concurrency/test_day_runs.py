"""The end of a day killed at every step, and begun by several at once: the same end, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.models import ClosedDay, ClosingBalance
from authorisation.domain.principal import process_principal
from journal.models import Event
from kernel.ids import new_id
from operations.domain.day_steps import END, STEPS, in_order
from operations.models import DayRun
from operations.services.run_day import run_day
from refdata.models import Market
from tests.concurrency.test_crash_points import chains_hold, killed_at
from tests.factories import make_desk
from tests.factories.feeds import FRIDAY, anomalies, make_calendar
from tests.factories.seals import sealing_in
from tests.integration.orders.test_apply_reports import sent

pytestmark = pytest.mark.django_db(transaction=True)
NIGHT = datetime.combine(FRIDAY, time(17, 30), UTC)


@pytest.fixture(autouse=True)
def day(tmp_path: Path, settings: Any) -> None:
    sealing_in(tmp_path, settings)
    sent(make_desk())
    make_calendar()
    Market.objects.update(always_open=False, version=new_id())


def end() -> DayRun:
    return run_day(kind=END, place="XLON", day=FRIDAY, actor=process_principal("day"), at=NIGHT)


def ended_once() -> None:
    run = DayRun.objects.get()
    assert (run.state, list(in_order(END, run.steps))) == ("done", list(STEPS[END]))
    assert (ClosedDay.objects.count(), ClosingBalance.objects.count()) == (1, 1)
    kinds = Event.objects.filter(stream="day:XLON").order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["BooksClosed", "DayEnded"]
    assert anomalies() == [("DAY_ORDER_NOT_OVER", "R")]
    assert chains_hold()


def test_killed_at_every_step_it_goes_on_to_the_same_end() -> None:
    for nth, step in enumerate(STEPS[END]):
        killed_at("day.step_done", end)
        assert step not in DayRun.objects.get().steps
        killed_at("day.step_kept", end)
        assert list(in_order(END, DayRun.objects.get().steps)) == list(STEPS[END][: nth + 1])
    assert (DayRun.objects.get().state, end().state) == ("done", "done")
    ended_once()


def test_several_at_once_end_it_once() -> None:
    def one(_: int) -> None:
        try:
            end()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(4)))
    end()
    ended_once()
