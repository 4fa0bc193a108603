"""Post-trade messages under kills, cuts and gaps by seed: the promises hold, and each planted bug breaks them soon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from venues.domain.post_trade_fate import Evidence, Fate, Judged, judge
from venues.simulation import post_trade
from venues.simulation.post_trade import Broken, Course, PureOutbox


def broken_within(seeds: int) -> int | None:
    """The first seed that breaks a promise."""
    for seed in range(seeds):
        try:
            Course(seed, PureOutbox()).play()
        except Broken:
            return seed
    return None


def test_no_seed_breaks_a_promise_and_the_seeds_reach_every_ending() -> None:
    assert broken_within(600) is None
    arrivals = [Course(seed, PureOutbox()).play() for seed in range(60)]
    assert any(flagged for came in arrivals for _, flagged in came)
    assert any(len({name for name, _ in came}) < len(came) for came in arrivals)


def _blind_to_texts(evidence: Evidence) -> Judged:
    return judge(replace(evidence, copies=()))


def _blind_to_answers(evidence: Evidence) -> Judged:
    return judge(replace(evidence, answered=False))


def _blind_to_requests(evidence: Evidence) -> Judged:
    return judge(replace(evidence, copies=[replace(copy, asked_again=False) for copy in evidence.copies]))


def _without_end(evidence: Evidence) -> Judged:
    return judge(replace(evidence, given_again=False, copies=()))


def _never_again(evidence: Evidence) -> Judged:
    return Judged(Fate.LEFT)


@pytest.mark.parametrize("bug", [_blind_to_texts, _blind_to_answers, _blind_to_requests, _without_end, _never_again])
def test_a_planted_bug_is_found(bug: Callable[[Evidence], Judged], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post_trade, "judge", bug)
    found = broken_within(200)
    assert found is not None
