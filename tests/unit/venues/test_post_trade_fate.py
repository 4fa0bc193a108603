"""What left, what leaves once more, and what a person asks about: every kind of evidence, at its mark."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from venues.domain.post_trade_fate import AGAIN_WITHIN, Copy, Evidence, Fate, is_asked_for, judge

NOTHING = Evidence(answered=False, copies=(), given_again=False, age=timedelta(0), takes=True)
LEFT, LOST = Copy(7, False, False), Copy(7, False, True)
AGAIN, AGAIN_LOST = Copy(9, True, False), Copy(9, True, True)


@pytest.mark.parametrize(
    ("evidence", "fate"),
    [
        (NOTHING, Fate.AGAIN),
        (replace(NOTHING, answered=True), Fate.LEFT),
        (replace(NOTHING, copies=(LEFT,)), Fate.LEFT),
        (replace(NOTHING, copies=(LOST,)), Fate.AGAIN),
        (replace(NOTHING, copies=(LOST,), answered=True), Fate.LEFT),
        (replace(NOTHING, age=AGAIN_WITHIN), Fate.AGAIN),
        (replace(NOTHING, age=AGAIN_WITHIN + timedelta(seconds=1)), Fate.NOBODY_KNOWS),
        (replace(NOTHING, takes=False), Fate.NOBODY_KNOWS),
        (replace(NOTHING, takes=False, copies=(LEFT,)), Fate.LEFT),
        (replace(NOTHING, given_again=True), Fate.NOBODY_KNOWS),
        (replace(NOTHING, given_again=True, copies=(LOST,)), Fate.NOBODY_KNOWS),
        (replace(NOTHING, given_again=True, copies=(LOST, AGAIN)), Fate.LEFT),
        (replace(NOTHING, given_again=True, copies=(LEFT, AGAIN_LOST)), Fate.NOBODY_KNOWS),
        (replace(NOTHING, given_again=True, answered=True), Fate.LEFT),
    ],
)
def test_evidence_decides_and_nothing_leaves_a_third_time(evidence: Evidence, fate: Fate) -> None:
    assert judge(evidence).fate is fate
    assert (judge(evidence).why == "") is (fate is Fate.LEFT)


@pytest.mark.parametrize(
    ("begin", "end", "named"), [(7, 0, True), (8, 0, False), (5, 7, True), (5, 6, False), (7, 7, True), (1, 0, True)]
)
def test_a_resend_request_names_a_range(begin: int, end: int, named: bool) -> None:
    assert is_asked_for(7, begin=begin, end=end) is named
