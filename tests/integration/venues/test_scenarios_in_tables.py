"""The scenario files through doors, raw messages, inbox and tables; in order, and in any order twice over."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from journal.models import Event
from operations.services.compare_replay import compare_replay
from orders.models import Order
from orders.scenario_file import Scenario, ScenarioPath, read_scenarios
from orders.scenario_play import Delivery, Seen
from venues.models import WireMessage
from venues.scenario_database import DatabaseHouse, main, make_world

SCRIPTS = Path(__file__).resolve().parents[2] / "venue_scripts"
LAST_DAY = 3

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("name", "last"),
    [("order_state_scenarios.json", "88 passed, 0 failed"), ("more_order_states.json", "78 passed, 0 failed")],
)
def test_every_path_passes(name: str, last: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(SCRIPTS / name)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == [last]
    replayed = compare_replay()
    assert (replayed.differences, replayed.untold) == ([], 0)
    assert replayed.orders == Order.objects.count() > 0


def _end(house: DatabaseHouse, path: ScenarioPath) -> dict[str, Seen | None]:
    return {order: house.look(order, LAST_DAY) for order in sorted({step.order for step in path.steps})}


def _straight(path: ScenarioPath, house: DatabaseHouse) -> dict[str, Seen | None]:
    for place, step in enumerate(path.steps, start=1):
        if step.direction == "out":
            house.send(step, place)
        elif step.direction == "in":
            house.receive([Delivery(step, place)])
    return _end(house, path)


def _disordered(path: ScenarioPath, house: DatabaseHouse, shuffle: random.Random) -> dict[str, Seen | None]:
    """All we send, in order; then every message of the venue twice, in any order, each with its own number."""
    placed = list(enumerate(path.steps, start=1))
    for place, step in placed:
        if step.direction == "out":
            house.send(step, place)
    arriving = [item for item in placed if item[1].direction == "in"] * 2
    shuffle.shuffle(arriving)
    for place, step in arriving:
        house.receive([Delivery(step, place)])
    return _end(house, path)


def _phoned(path: ScenarioPath) -> bool:
    return any(step.direction == "in" and not step.order for step in path.steps)


@pytest.mark.parametrize("spec_version", ["4.4", "4.2"])
def test_disorder_and_duplicates_end_in_the_same_state(spec_version: str) -> None:
    scenarios: list[Scenario] = [
        s for s in read_scenarios(SCRIPTS / "order_state_scenarios.json") if s.spec_version == spec_version
    ]
    world = make_world(spec_version)
    shuffle = random.Random(20260105)
    run = 0
    different = []
    for scenario in scenarios:
        for path in scenario.paths:
            run += 2
            straight = _straight(path, DatabaseHouse(world, spec_version, run, phoned=_phoned(path)))
            ended = _disordered(path, DatabaseHouse(world, spec_version, run + 1, phoned=_phoned(path)), shuffle)
            if ended != straight:
                different.append((scenario.id, path.label, straight, ended))
    assert different == []
    assert run > 10


def test_an_order_never_sent_leaves_nothing_but_an_exception() -> None:
    scenario = next(s for s in read_scenarios(SCRIPTS / "order_state_scenarios.json") if s.id == "B.1.f")
    house = DatabaseHouse(make_world("4.4"), "4.4", 1, phoned=False)
    assert _straight(scenario.paths[0], house) == {"X": None}
    assert Order.objects.count() == 0
    assert WireMessage.objects.count() == 1
    assert Event.objects.filter(kind="AnomalyRaised").count() == 1
