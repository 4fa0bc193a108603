"""When a breaker opens, by kind: inside, at and outside its mark, what is too old, and how its pauses grow."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from risk.domain.breakers import (
    CLOSED,
    FIRM,
    MOVES,
    OPEN,
    PAIRS,
    Happened,
    Seen,
    cause_of,
    diagram,
    mark_of,
    pause_after,
)
from risk.domain.rates import RateKind, RateMark

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SINCE = AT - timedelta(seconds=60)
ERRORS = RateMark(RateKind.ERRORS, amount=3, seconds=60, pause_s=10)
REJECTS = RateMark(RateKind.REJECTS, amount=3, seconds=60, share=50, pause_s=10)
INCONSISTENT = RateMark(RateKind.INCONSISTENT, amount=2, seconds=60)
LATENCY = RateMark(RateKind.LATENCY, amount=1000, seconds=60, burst=4, share=50)


def seen(what: Happened, count: int, *, ms: int = 0, at: datetime = AT) -> list[Seen]:
    return [Seen(what, at, ms)] * count


E, R, A, C, S = Happened.ERROR, Happened.REJECT, Happened.ANSWER, Happened.INCONSISTENT, Happened.SENT


@pytest.mark.parametrize(
    ("mark", "facts", "opens"),
    [
        (ERRORS, seen(E, 2), False),
        (ERRORS, seen(E, 3), True),
        (ERRORS, seen(E, 3, at=SINCE), False),  # as old as the last move: counted then
        (ERRORS, seen(R, 9), False),
        (REJECTS, seen(R, 2), False),
        (REJECTS, seen(R, 3) + seen(A, 3), True),  # half of six
        (REJECTS, seen(R, 3) + seen(A, 4), False),
        (REJECTS, seen(R, 3), True),
        (INCONSISTENT, seen(C, 1), False),
        (INCONSISTENT, seen(C, 2), True),
        (LATENCY, seen(S, 3, ms=5000), False),  # too few to judge by
        (LATENCY, seen(S, 4, ms=1000), False),  # at the mark is in time
        (LATENCY, seen(S, 2, ms=1001) + seen(S, 2, ms=10), True),
        (LATENCY, seen(S, 1, ms=1001) + seen(S, 3, ms=10), False),
        (LATENCY, [], False),
    ],
)
def test_when_it_opens(mark: RateMark, facts: list[Seen], opens: bool) -> None:
    cause = cause_of(mark.kind, facts, mark, since=SINCE)
    assert bool(cause) == opens, cause


def test_the_cause_says_figures_and_mark() -> None:
    facts = seen(R, 3) + seen(A, 1)
    assert cause_of(RateKind.REJECTS, facts, REJECTS, since=SINCE) == (
        "3 of 4 answers in 60 s were rejects (mark 3 and 50 %)."
    )


def test_a_latency_mark_of_no_share_does_not_open_for_nothing() -> None:
    assert not cause_of(RateKind.LATENCY, seen(S, 9, ms=1), replace(LATENCY, share=0), since=SINCE)


def test_pauses_double_up_to_a_quarter_of_an_hour() -> None:
    seconds = [pause_after(n, ERRORS).total_seconds() for n in (1, 2, 3, 7, 8, 50)]
    assert seconds == [10, 20, 40, 640, 900, 900]


def test_the_firm_stops_at_twice_the_mark_unless_it_has_its_own() -> None:
    assert mark_of(INCONSISTENT, FIRM).amount == 4
    assert mark_of(INCONSISTENT, "session:S").amount == 2
    assert mark_of(replace(INCONSISTENT, subject=FIRM), FIRM).amount == 2


def test_it_closes_only_from_half_open_and_every_state_is_left() -> None:
    assert {source for source, target in PAIRS if target == CLOSED} == {"half_open"}
    assert {source for source, _ in PAIRS} == {"closed", "open", "half_open"}
    assert (OPEN, CLOSED) not in PAIRS
    assert all(move.why in diagram() for move in MOVES)
