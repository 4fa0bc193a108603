"""Harm orders by severity, exposure and time left, the same today and tomorrow; escalation only ever raises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from operations.domain.exception_kinds import kind_of
from operations.domain.exception_rank import DOUBLES_EVERY, SEVERITIES, harm, share_of, shown_severity, worse
from operations.domain.exception_states import CLOSED, FORCE_CLOSED, OPEN, PAIRS, TRANSITIONS, diagram
from operations.domain.exception_timing import aged_since, stated_exposure, timing_of
from operations.domain.working_clock import WALL

DUE = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def figure(severity: str = "high", exposure: str | None = "1000", due_at: datetime = DUE) -> Decimal:
    return harm(severity=severity, exposure=Decimal(exposure) if exposure else None, due_at=due_at)


def test_each_part_makes_it_worse() -> None:
    assert figure("critical") > figure("high") > figure("medium") > figure("low")
    assert figure(exposure="-2000") > figure(exposure="1000")
    assert figure(due_at=DUE - HOUR) > figure()


def test_a_step_of_severity_weighs_eight_times_the_exposure_and_twelve_hours() -> None:
    assert figure("critical", "1000") == figure("high", "8000")
    assert figure("critical") == figure("high", due_at=DUE - timedelta(seconds=3 * int(DOUBLES_EVERY)))


def test_what_nobody_stated_is_neither_nothing_nor_most() -> None:
    assert figure(exposure="1") < figure(exposure=None) < figure(exposure="1000000")


@pytest.mark.parametrize(("level", "shown"), [(0, "medium"), (1, "medium"), (2, "high"), (3, "critical")])
def test_escalation_raises_what_is_shown(level: int, shown: str) -> None:
    assert shown_severity("medium", level) == shown
    assert SEVERITIES.index(shown_severity("critical", level)) == 3


def test_the_graver_of_two() -> None:
    assert (worse("low", "high"), worse("critical", "medium")) == ("high", "critical")


def test_an_item_rises_at_half_its_time_at_all_of_it_and_at_twice() -> None:
    sla = timedelta(minutes=15)
    assert [share_of(sla, level) for level in (1, 2, 3)] == [timedelta(minutes=m) for m in (7.5, 15, 30)]


def test_when_time_alone_moves_an_item() -> None:
    kind = kind_of("FSCK_FAILED")  # by the wall: 15 minutes when critical
    timing = timing_of(kind, severity="critical", ages_from=DUE, clock=WALL)
    assert (timing.due_at, timing.next_at) == (DUE + timedelta(minutes=15), DUE + timedelta(minutes=7, seconds=30))
    last = timing_of(kind, severity="critical", ages_from=DUE, clock=WALL, level=3)
    assert last.next_at is None
    until = DUE + timedelta(minutes=2)
    assert timing_of(kind, severity="critical", ages_from=DUE, clock=WALL, snoozed_until=until).next_at == until


@pytest.mark.parametrize(
    ("evidence", "amount"),
    [
        ({"exposure": "46300.00", "currency": "GBP"}, Decimal("46300.00")),
        ({"exposure": "-5", "currency": "GBP"}, Decimal(-5)),
        ({"exposure": "46300.00"}, None),
        ({"exposure": "NaN", "currency": "GBP"}, None),
        ({"exposure": "much", "currency": "GBP"}, None),
        ({"exposure": 5.5, "currency": "GBP"}, None),  # a number of JSON may be a float: amounts come as text
        ({"exposure": "1e400", "currency": "GBP"}, None),
        ({}, None),
    ],
)
def test_exposure_is_what_the_evidence_states(evidence: dict[str, object], amount: Decimal | None) -> None:
    assert stated_exposure(evidence)[0] == amount


def test_a_break_ages_from_its_first_run_and_nothing_ages_from_tomorrow() -> None:
    kind = kind_of("RECONCILIATION_BREAK")
    since = (DUE - 30 * HOUR).isoformat()
    assert aged_since(kind, {"since": since}, event_at=DUE) == DUE - 30 * HOUR
    assert aged_since(kind, {"since": (DUE + HOUR).isoformat()}, event_at=DUE) == DUE
    assert aged_since(kind, {"since": "yesterday"}, event_at=DUE) == DUE
    assert aged_since(kind_of("OVERFILL"), {"since": since}, event_at=DUE) == DUE


def test_ends_are_never_left_and_every_open_state_can_end() -> None:
    assert not [pair for pair in PAIRS if pair[0] not in OPEN]
    assert {(state, end) for state in OPEN for end in (CLOSED, FORCE_CLOSED)} <= set(PAIRS)
    assert all(
        f"{source} --> {move.target}" in diagram()
        for move in TRANSITIONS
        for source in move.sources
        if source != move.target
    )
