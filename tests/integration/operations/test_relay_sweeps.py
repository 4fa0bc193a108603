"""A sweeper that fails for a reason of its own is told once, tried again, and neither ends the relay nor starves the others."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import OperationalError

from journal.models import Event
from journal.selectors.horizon import Horizon
from oms_project.relay import SWEEPER_FAILING, Sweep, turn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oms_project.relay.LISTENERS", ())


def told(kind: str) -> int:
    return Event.objects.filter(kind=kind, payload__kind=SWEEPER_FAILING).count()


def test_one_that_fails_is_told_once_and_cleared_and_the_others_run() -> None:
    calls: list[str] = []
    faulty = True

    def breaks(*, at: datetime) -> None:
        calls.append("breaks")
        if faulty:
            raise ValueError("one order of many")

    def works(*, at: datetime) -> None:
        calls.append("works")

    sweeps = [Sweep("rooms.breaks", breaks, 0), Sweep("rooms.works", works, 0)]
    for _ in range(3):
        turn({}, sweeps, Horizon())
    assert calls == ["breaks", "works"] * 3
    assert (told("AnomalyRaised"), told("AnomalyCleared")) == (1, 0)
    sentence = Event.objects.get(payload__kind=SWEEPER_FAILING).payload["sentence"]
    assert sentence == "The sweeper rooms.breaks fails: ValueError: one order of many"

    faulty = False
    turn({}, [Sweep("rooms.breaks", breaks, 0)], Horizon())  # as the next relay would
    assert (told("AnomalyRaised"), told("AnomalyCleared")) == (1, 1)


def test_a_database_that_is_away_is_nobodys_fault() -> None:
    def is_away(*, at: datetime) -> None:
        raise OperationalError("gone")

    with pytest.raises(OperationalError):
        turn({}, [Sweep("rooms.away", is_away, 0)], Horizon())
    assert told("AnomalyRaised") == 0
