"""Every path of the scenario files passes through the pure core, row by row."""

from __future__ import annotations

import pytest

from orders.domain.derive import all_notes
from orders.scenario_file import Scenario, ScenarioPath
from orders.scenario_play import play
from orders.scenario_runner import pure_house
from tests.unit.orders.paths import FILES, all_scenarios, facts_after, order_paths

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


def test_only_what_is_odd_is_shown_to_a_person() -> None:
    """No false alarms: the matrices name predecessors in every way venues do, and print rows against their own rules."""
    shown = {
        path.name: [note.kind for note in all_notes(facts_after(path.requests, path.reports).state)]
        for path in order_paths()
    }
    assert {name: kinds for name, kinds in shown.items() if kinds} == {
        "F.1.a main X": ["DUPLICATE_REJECTED"],
        "F.1.b/both main X": ["DUPLICATE_REJECTED"],
        "F.1.d main X": ["DUPLICATE_REJECTED"],
        "4.2/D22 main X": ["DUPLICATE_REJECTED"],
        "J.1.b main X": ["LATE_TRADE"],
        "J.1.f main X": ["LATE_TRADE"],
        "4.2/D35 main X": ["LATE_TRADE"],
    }
