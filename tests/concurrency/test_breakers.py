"""A breaker that several see at once opens once; killed at any step it is open with its blocks or closed without."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from journal.models import Event
from risk.models import Block, Breaker
from risk.services.probe_breaker import probe_breaker
from risk.services.trip_breaker import trip_breaker
from tests.concurrency.test_crash_points import chains_hold, killed_at
from tests.concurrency.threads import together
from tests.factories import AT
from tests.factories.trading import SESSION, Desk
from venues.gateway.probing import probe_breakers
from venues.services.take_over_sessions import take_over_sessions
from venues.services.watch_breakers import watch_breakers

pytestmark = pytest.mark.django_db(transaction=True)
SUBJECT = f"session:{SESSION}"


def trip() -> bool:
    return trip_breaker(
        kind="rejects", subject=SUBJECT, scopes=[("venue", "XLON"), ("venue", "XPAR")], cause="A storm.",
        pause=timedelta(seconds=30), at=AT,
    )  # fmt: skip


def test_seen_by_several_at_once_it_opens_once() -> None:
    assert sorted(together([trip] * 4)) == [False, False, False, True]
    assert (Breaker.objects.get().openings, Block.objects.filter(lifted_at=None).count()) == (1, 2)
    assert Event.objects.filter(kind="BreakerOpened").count() == 1
    assert chains_hold()


def test_killed_while_it_opens_it_opens_anew() -> None:
    killed_at("breaker.tripped", trip)
    assert (Breaker.objects.count(), Block.objects.count(), Event.objects.count()) == (0, 0, 0)
    assert trip()
    assert Block.objects.filter(lifted_at=None).count() == 2
    assert chains_hold()


def test_killed_between_saying_and_asking_it_opens_again_and_is_asked_again() -> None:
    desk = Desk()
    desk.buy()
    desk.send(at=AT)
    trip()
    probe_breaker(kind="rejects", subject=SUBJECT, at=AT)
    live = take_over_sessions(group="T1", fence=0, at=AT)[0]
    asking: Any = None  # an engine is not reached
    killed_at("breaker.probed", partial(probe_breakers, asking, live, group="T1", now=AT))
    row = Breaker.objects.get(subject=SUBJECT)
    assert (row.state, row.probed_at) == ("half_open", AT)
    watch_breakers(at=AT + timedelta(seconds=11))
    row.refresh_from_db()
    assert (row.state, row.openings) == ("open", 2)
    assert chains_hold()
