"""The scenario files through doors, raw messages, inbox and tables; in order, and in any order."""

from __future__ import annotations

from pathlib import Path

import pytest

from journal.models import Event
from orders.models import Order
from orders.scenario_file import read_scenarios
from orders.scenario_play import Delivery
from tests.factories.invariants import broken_invariants
from venues.models import WireMessage
from venues.scenario_database import DatabaseHouse, main, make_world

SCRIPTS = Path(__file__).resolve().parents[2] / "venue_scripts"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("name", "options", "last"),
    [
        ("order_state_scenarios.json", ["--shuffle", "1", "--twice"], "88 passed, 0 failed"),
        ("more_order_states.json", ["--shuffle", "2"], "81 passed, 0 failed"),
        ("specification_matrices.json", ["--shuffle", "3"], "89 passed, 0 failed"),
    ],
)
def test_every_path_passes_in_order_and_ends_the_same_in_disorder(
    name: str, options: list[str], last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(SCRIPTS / name), *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == [last]
    assert broken_invariants() == {}


def test_an_order_never_sent_leaves_nothing_but_an_exception() -> None:
    scenario = next(s for s in read_scenarios(SCRIPTS / "order_state_scenarios.json") if s.id == "B.1.f")
    house = DatabaseHouse(make_world("4.4"), "4.4", 1, phoned=False)
    for place, step in enumerate(scenario.paths[0].steps, start=1):
        if step.direction == "out":
            house.send(step, place)
        else:
            house.receive([Delivery(step, place)])
    assert house.look("X", 1) is None
    assert Order.objects.count() == 0
    assert WireMessage.objects.count() == 1
    assert Event.objects.filter(kind="AnomalyRaised").count() == 1
