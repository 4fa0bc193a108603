"""The same seeds through the core and through services and tables: every figure agrees after every step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from kernel.clock import utc_now
from operations.fsck.check import Level
from operations.fsck.prove import failing, prove
from operations.fsck.registry import up_to
from operations.fsck.snapshot import open_snapshot
from orders.models import Execution, Order
from orders.services import apply_reports as applying
from orders.services import record_hand_over as recording
from venues.simulation.generator import generate
from venues.simulation.play import Wrong
from venues.simulation.runner import run_seeds
from venues.simulation_database.database_house import DatabaseHouse
from venues.simulation_database.runner import make_twice

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

# Chosen for what happens in them: crashes, resets of numbers, busts, chains, over-fills, reports without ClOrdID.
SEEDS = range(10)


def first_wrong(seeds: range) -> Wrong | None:
    """What the first seed that is not clean shows."""
    twice = make_twice()
    return next((wrong for seed in seeds if (wrong := twice(generate(seed))) is not None), None)


def test_core_and_tables_agree_and_every_invariant_holds() -> None:
    assert run_seeds(SEEDS, make_twice()) == []
    assert Order.objects.count() >= len(SEEDS)
    assert Execution.objects.count() > len(SEEDS)
    with open_snapshot(at=utc_now() + timedelta(minutes=5)) as snapshot:
        found = failing(prove(snapshot, up_to(Level.WIRE)))
    assert [(outcome.check.code, outcome.examples) for outcome in found] == []


def test_a_mistake_in_the_services_alone_is_seen() -> None:
    """The pure house is right, the tables are wrong: an order keeps what it held although it holds less now."""

    def keeps(work: Any) -> Any:
        held = real(work)
        return type(held)(**{**{name: getattr(held, name) for name in held.__slots__}, "cash": held.cash + 1})

    real = applying._hold
    with patch.object(applying, "_hold", keeps):
        wrong = first_wrong(range(6))
    assert wrong is not None
    assert "hold_cash" in wrong.why or "cash held" in wrong.why


def test_a_request_that_is_not_put_on_record_is_seen() -> None:
    with patch.object(recording, "request_sent", lambda facts, request: facts):
        assert first_wrong(range(6)) is not None


def test_nothing_is_kept_outside_the_tables() -> None:
    """A house made anew for the same seed would find nothing: what it knows of itself are ids."""
    twice = make_twice()
    script = generate(SEEDS[0])
    assert twice(script) is None
    house = DatabaseHouse(twice._desk, script.world)
    assert house.look(0) is None
    assert house.worked() == 0
