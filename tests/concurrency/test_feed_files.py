"""A file is taken once: by two processes at the same moment, and by one that was killed at any step and begins again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from journal.models import Event
from kernel.clock import utc_now
from reconciliation.models import Feed, FeedFile
from reconciliation.services.collect_files import collect_files
from reconciliation.transports.folder import STILL
from tests.concurrency.test_crash_points import killed_at
from tests.factories.feeds import FRIDAY, THURSDAY, anomalies, bring, cash_file, make_calendar, make_feed

pytestmark = pytest.mark.django_db(transaction=True)
LATER = STILL + timedelta(seconds=1)


@pytest.fixture
def place(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.VAR_DIR = tmp_path
    make_calendar()
    make_feed()
    monkeypatch.setattr("reconciliation.services.receive_file.business_days", lambda feed, around: [THURSDAY, FRIDAY])
    place = tmp_path / "incoming" / "bank"
    place.mkdir(parents=True)
    return place


def look() -> int:
    return collect_files(at=utc_now() + LATER)


def lying(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("point", "rows"),
    [("feed_file.fetched", 0), ("feed_file.kept", 0), ("feed_file.written", 0), ("feed_file.received", 1)],
)
def test_killed_at_any_step_the_next_look_takes_it_once(place: Path, point: str, rows: int) -> None:
    (place / "cash.csv").write_bytes(cash_file())
    killed_at(point, look)
    assert (FeedFile.objects.count(), lying(place)) == (rows, ["taking/cash.csv"])
    assert (look(), look()) == (1, 0)
    assert (FeedFile.objects.get().state, lying(place)) == ("read", ["done/cash.csv"])
    assert Event.objects.filter(kind="FeedFileReceived").count() == 1
    assert anomalies() == []


def _together(work: Any, times: int = 4) -> list[Any]:
    barrier = Barrier(times)

    def one(_: int) -> Any:
        try:
            barrier.wait()
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_several_lookers_take_each_file_once(place: Path) -> None:
    for n in range(5):
        (place / f"cash_{n}.csv").write_bytes(cash_file(rows=[f"A1,GBP,1,{n}"]))
    taken = sum(_together(look))
    taken += look()
    assert (taken, FeedFile.objects.count()) == (5, 5)
    assert lying(place) == [f"done/cash_{n}.csv" for n in range(5)]
    assert anomalies() == []


def test_the_same_bytes_brought_at_the_same_moment_are_one_file(place: Path) -> None:
    feed = Feed.objects.get()
    received = _together(lambda: bring(feed, cash_file()))
    assert len({one.file_id for one in received}) == 1
    assert (FeedFile.objects.count(), [one.duplicate for one in received].count(False)) == (1, 1)
    assert anomalies() == [("FILE_DUPLICATE", "R")] * 3
    received = _together(lambda: bring(None, cash_file(), source="OTHER"))
    assert len({one.file_id for one in received}) == 1
    assert FeedFile.objects.filter(source="OTHER").count() == 1
