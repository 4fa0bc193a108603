"""Whatever happens to trades, in any order and at any stage: nothing is lost, nothing is made, and every record follows.

``TEST_WORLDS=200 ./oms test tests/integration/allocations/test_any_world.py`` looks at more of them.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kernel.ids
from journal.models import Event
from tests.factories.chain import Chain
from tests.factories.chain_steps import NAMES, Step, play
from tests.factories.chain_world import chain_world

pytestmark = pytest.mark.django_db
WORLDS = int(os.environ.get("TEST_WORLDS", "2"))
NUMBER = st.integers(0, 11)
STEP = st.tuples(st.sampled_from(NAMES), NUMBER, NUMBER, NUMBER)
BEGIN: tuple[Step, ...] = (
    ("order", 1, 0, 0),
    ("fill", 0, 3, 1),
    ("fill", 0, 2, 3),
    ("fill", 0, 0, 2),
    ("book", 0, 0, 0),
)

DAY = (
    ("order", 1, 0), ("fill", 0, 3), ("fill", 0, 2), ("fill", 0, 1), ("book", 0, 0), ("affirm", 0, 0), ("part", 1, 1), ("bust", 0, 0),
    ("night", 0, 0), ("late", 0, 0), ("settle", 2, 0), ("price", 0, 0), ("divide", 0, 2),
)  # fmt: skip


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@settings(
    max_examples=WORLDS, deadline=None, suppress_health_check=list(HealthCheck), derandomize=WORLDS <= 10, database=None
)
@given(st.lists(STEP, min_size=8, max_size=16))
def test_nothing_is_lost_and_every_record_follows(steps: Sequence[Step]) -> None:
    with rolled_back():
        chain = chain_world()
        play(chain, [*BEGIN, *steps])
        at_rest(chain)


def test_the_same_day_comes_to_the_same_whatever_is_heard_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids decide ties, so both plays draw the same ones. The second hears every event by itself."""
    came_to = []
    for limit in (500, 1):
        chance, clock = random.Random(7), count(1_800_000_000_000_000_000, 1_000_000)
        monkeypatch.setattr(kernel.ids, "os", SimpleNamespace(urandom=chance.randbytes))
        monkeypatch.setattr(kernel.ids, "time", SimpleNamespace(time_ns=clock.__next__))
        with rolled_back():
            chain = chain_world()
            done = play(chain, [(name, a, b, 0) for name, a, b in DAY], limit=limit)
            assert done == [name for name, _, _ in DAY]
            came_to.append(chain.picture()[:-1])
    assert came_to[0] == came_to[1]


def at_rest(chain: Chain) -> None:
    """All checks of the house hold, and everything once more changes nothing."""
    chain.fsck()
    seen, before = Event.objects.latest("position").position, chain.picture()
    chain.relay(limit=2)
    more = list(Event.objects.filter(position__gt=seen).values_list("kind", "payload"))
    assert more == [], more
    assert chain.picture() == before
