"""Every path of the scenario files passes through the pure core, row by row."""

from __future__ import annotations

import pytest

from orders.scenario_file import Scenario, ScenarioPath
from orders.scenario_play import play
from orders.scenario_runner import pure_house
from tests.unit.orders.paths import FILES, all_scenarios, order_paths

RUNS = [(scenario, path) for scenario in all_scenarios() for path in scenario.paths]


def test_the_files_hold_what_they_should() -> None:
    assert [file.name for file in FILES] == [
        "order_state_scenarios.json",
        "more_order_states.json",
        "specification_matrices.json",
    ]
    assert len(RUNS) == 88 + 81 + 89
    assert len(order_paths()) == 262


@pytest.mark.parametrize(("scenario", "path"), RUNS, ids=[f"{s.id} {p.label}" for s, p in RUNS])
def test_path(scenario: Scenario, path: ScenarioPath) -> None:
    assert play(path, pure_house(scenario, path.steps), spec_version=scenario.spec_version) == ()
