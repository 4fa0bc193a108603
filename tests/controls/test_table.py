"""The catalogue of controls holds: every control is in it, every test it names exists, no reason stands where a test does.

The tests it names are found by reading files, not by running them. The cases it names are looked up in the pure table and
their verdicts agree with the situation they stand for.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from oms_project.house.controls import CATALOGUE, SITUATIONS, Control, read_catalogue
from risk.domain.canaries import CANARIES
from risk.domain.checks import CHECKS
from tests.architecture.house import ROOT
from tests.unit.risk.test_checks import CASES

CATALOGUED = read_catalogue()
CODES = [check.code for check in CHECKS]
OTHERS = {
    "SESSION_RATE", "REPEATED_EXECUTIONS", "BREAKERS", "BREAK_POLICY", "BREAK_REPAIR", "KILL_SWITCH", "TRADING_SWITCH",
    "SAME_BUILD_AND_CLOCK", "ONLY_ROAD",
    "BASKET_LIMITS", "CANARIES", "SECOND_PERSON_ON_LIMITS", "SECOND_PERSON_ON_RULES", "SECOND_PERSON_ON_RATES",
    "SECOND_PERSON_ON_STOPS", "SECOND_PERSON_ON_CORPORATE_ACTIONS", "SECOND_PERSON_ON_ORDERS",
}  # fmt: skip
VERDICTS = {(code, label): verdict for code, label, _, verdict in CASES}
WORDS = {
    frozenset({"refuse"}): "nobody",
    frozenset({"acknowledge"}): "the dealer's reason",
    frozenset({"authorise"}): "a second person",
    frozenset({"acknowledge", "refuse"}): "the dealer's reason, then nobody",
}
POLICY = {
    "SHARE_OF_VOLUME": "a second person; of an unknown volume as the policy says",
    "SELF_TRADE": "as the policy says",
    "RULE_TABLE": "as each rule says",
}


@cache
def defined_in(path: Path) -> frozenset[str]:
    """The test functions a file defines, also those of its classes."""
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def exists(test: str) -> bool:
    path, _, name = test.partition("::")
    return (ROOT / path).is_file() and name in defined_in(ROOT / path)


def labels(code: str) -> set[str]:
    return {label for known, label in VERDICTS if known == code}


def test_every_control_is_in_the_catalogue_and_checks_stand_in_the_order_of_the_registry() -> None:
    assert list(CATALOGUED)[: len(CODES)] == CODES
    assert set(CATALOGUED) - set(CODES) == OTHERS


@pytest.mark.parametrize("control", CATALOGUED.values(), ids=lambda one: one.code)
def test_what_it_names_exists(control: Control) -> None:
    for situation in SITUATIONS:
        assert [test for test in control.tests(situation) if not exists(test)] == []
        assert [label for label in control.cases(situation) if label not in labels(control.code)] == []


@pytest.mark.parametrize("control", CATALOGUED.values(), ids=lambda one: one.code)
def test_a_situation_is_shown_or_explained_never_both(control: Control) -> None:
    for situation in SITUATIONS:
        shown = control.tests(situation) + control.cases(situation)
        reason = control.reason(situation)
        assert bool(shown) != bool(reason), situation
        assert not reason or (len(reason.split()) > 5 and reason.endswith(".")), situation
    assert not control.reason("inside")
    assert not control.reason("outside")


@pytest.mark.parametrize("code", CODES)
def test_cases_answer_what_their_situation_says(code: str) -> None:
    control = CATALOGUED[code]
    assert {VERDICTS[code, label] for label in control.cases("inside")} <= {"pass"}
    for situation in ("outside", "missing"):
        passed = [label for label in control.cases(situation) if VERDICTS[code, label] == "pass"]
        assert passed == [], situation


@pytest.mark.parametrize("code", CODES)
def test_no_reason_stands_where_there_is_a_test(code: str) -> None:
    """Marks are told by labels that begin with ``at the``, missing data by those that say so and do not pass."""
    control = CATALOGUED[code]
    if control.reason("at"):
        assert [label for label in labels(code) if label.startswith("at the mark")] == []
    if control.reason("missing"):
        words = ("missing", "not known", "nothing known", "unheard of", "not on record", "not counted")
        assert [x for x in labels(code) if x.startswith(words) and VERDICTS[code, x] != "pass"] == []
    if control.reason("at_once"):
        threads = [
            path for path in (ROOT / "tests" / "concurrency").glob("test_*.py") if f'"{code}"' in path.read_text()
        ]
        assert threads == []


@pytest.mark.parametrize("code", CODES)
def test_two_at_once_is_shown_by_threads_or_by_what_changed_meanwhile(code: str) -> None:
    for test in CATALOGUED[code].tests("at_once"):
        path, _, name = test.partition("::")
        source = (ROOT / path).read_text()
        assert "together" in source or "at_once(" in source or "check_boundaries" in source or "hand_over" in source, (
            name
        )


@pytest.mark.parametrize("code", CODES)
def test_whose_word_goes_past_it_is_what_it_answers(code: str) -> None:
    """Read off the cases: where a check never answers but one way, the catalogue says so."""
    said = CATALOGUED[code].overridden_by
    if code in POLICY:
        assert said == POLICY[code]
        return
    given = {VERDICTS[code, label] for label in labels(code)} - {"pass"}
    first = next((word for word in ("acknowledge", "authorise") if word in given), "refuse")
    assert said.startswith(WORDS[frozenset({first})]), (said, given)


@pytest.mark.parametrize("code", CODES)
def test_every_check_has_its_canary(code: str) -> None:
    assert code in CANARIES


def test_a_control_that_is_no_check_says_its_rule_and_where_it_runs() -> None:
    for code in OTHERS:
        control = CATALOGUED[code]
        assert control.rule.endswith("."), code
        assert control.runs, code


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ('at = "@nowhere"', "nowhere"),
        ('at = "see above"', "neither"),
        ("at = []", "nothing is said"),
        ('at = "none: No mark."\nmore = "x"', "unknown more"),
    ],
)
def test_a_catalogue_that_says_nothing_is_not_read(tmp_path: Path, changed: str, told: str) -> None:
    evidence = "\n".join(f'{name} = "case x"' for name in SITUATIONS if name != "at")
    path = tmp_path / "controls.toml"
    path.write_text(f'[shared]\n[ONE]\noverridden_by = "nobody"\n{evidence}\n{changed}\n')
    with pytest.raises((ValueError, KeyError), match=told):
        read_catalogue(path)


def test_a_test_that_is_not_there_is_found_missing() -> None:
    assert CATALOGUE.is_file()
    assert exists("tests/controls/test_table.py::test_a_test_that_is_not_there_is_found_missing")
    assert not exists("tests/controls/test_table.py::test_nothing")
    assert not exists("tests/controls/test_nowhere.py::test_nothing")
