"""Whose word goes past each control, case by case of the pure table: nobody's past a refusal, nobody's own past a second person."""

from __future__ import annotations

import pytest

from risk.domain.answers import Acknowledgement, Verdict, judge
from risk.domain.checks import CHECKS
from risk.domain.facts import Facts
from tests.unit.risk.test_checks import CASES

BY_CODE = {check.code: check for check in CHECKS}
MEANT = "The client insists"


@pytest.mark.parametrize("code", BY_CODE)
def test_a_word_lifts_what_asks_for_it_and_nothing_else(code: str) -> None:
    tried = 0
    for _, label, facts, verdict in [case for case in CASES if case[0] == code]:
        for on_desk in (True, False):
            assert lifted(code, facts, MEANT, on_desk=on_desk) is (verdict in ("pass", "acknowledge")), (label, on_desk)
            assert lifted(code, facts, "  ", on_desk=on_desk) is (verdict == "pass"), (label, on_desk)
        tried += verdict != "pass"
    assert tried


def lifted(code: str, facts: Facts, reason: str, *, on_desk: bool) -> bool:
    """Whether this check alone lets the order go with such a reason."""
    answer = BY_CODE[code].answer(facts)
    judgement = judge([answer], acknowledgements=[Acknowledgement(code, reason)], on_desk=on_desk)
    (kept,) = judgement.answers
    assert (kept.code, kept.sentence, kept.facts) == (answer.code, answer.sentence, answer.facts)
    assert kept.verdict >= answer.verdict
    assert kept.reason == (MEANT if answer.verdict is Verdict.ACKNOWLEDGE and reason.strip() else "")
    return judgement.worst is Verdict.PASS
