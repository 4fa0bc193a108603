"""Cut-off clocks: before, at and after each mark, with much, little and uncountable at stake; forecast, countdown and share."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from allocations.domain.affirming_in_time import Clock, Share, add_up, countdown, phase, will_miss
from allocations.domain.terms import default_terms, late_party

HOUR = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)  # 21:00 in New York
CLOCK = Clock("XNYS", "SIM2", "2026-11-20", HOUR, open=100, value=Decimal(2_000_000), affirmed=50, lately=0)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("left", "value", "expected"),
    [
        (timedelta(minutes=60) + SECOND, "2000000", "calm"),
        (timedelta(minutes=60), "2000000", "soon"),
        (timedelta(minutes=60), "1000000", "soon"),
        (timedelta(minutes=60), "999999.99", "calm"),
        (timedelta(minutes=60), None, "soon"),
        (timedelta(minutes=15) + SECOND, "1", "calm"),
        (timedelta(minutes=15), "1", "urgent"),
        (SECOND, "1", "urgent"),
        (timedelta(0), "1", "late"),
        (-timedelta(days=1), "1", "late"),
    ],
)
def test_a_clock_warns_before_and_is_late_from_the_hour_on(left: timedelta, value: str | None, expected: str) -> None:
    clock = replace(CLOCK, value=None if value is None else Decimal(value))
    assert phase(clock, HOUR - left) == expected
    assert phase(replace(clock, open=0), HOUR - left) == "calm"


@pytest.mark.parametrize(
    ("lately", "minutes", "misses"),
    [(0, 60, 100), (30, 60, 40), (30, 15, 85), (1, 45, 99), (50, 60, 0), (30, 0, 100), (30, -5, 100)],
)
def test_a_forecast_is_what_the_present_rate_leaves(lately: int, minutes: int, misses: int) -> None:
    assert will_miss(replace(CLOCK, lately=lately), HOUR - timedelta(minutes=minutes)) == misses


@pytest.mark.parametrize(
    ("minutes", "text"), [(125, "2h 05m"), (60, "1h 00m"), (14, "14m"), (0, "0m"), (-3, "−3m"), (-61, "−1h 01m")]
)
def test_a_countdown_is_read_at_a_glance(minutes: int, text: str) -> None:
    assert countdown(HOUR, HOUR - timedelta(minutes=minutes)) == text


@pytest.mark.parametrize(
    ("role", "state", "late"),
    [
        ("buy_side", "waiting", "ours"), ("buy_side", "sent", "theirs"), ("buy_side", "matched", "ours"),
        ("buy_side", "mismatched", "ours"), ("buy_side", "rejected", "ours"), ("broker", "waiting", "ours"),
        ("broker", "sent", "theirs"), ("broker", "matched", "theirs"), ("broker", "mismatched", "ours"),
        ("broker", "rejected", "ours"), ("buy_side", "affirmed", ""), ("broker", "canceled", ""),
    ],
)  # fmt: skip
def test_the_clock_names_whose_word_is_missing(role: str, state: str, late: str) -> None:
    assert late_party(role, state) == late


def test_a_share_of_nothing_is_no_share_and_shares_add_up() -> None:
    assert (Share(0, 0, Decimal(0), Decimal(0)).percent, Share(0, 0, Decimal(0), Decimal(0)).value_percent) == (
        None,
        None,
    )
    total = add_up([Share(1, 3, Decimal(10), Decimal(40)), Share(2, 3, Decimal(20), Decimal(20))])
    assert (total.percent, total.value_percent) == (Decimal("50.00"), Decimal("50.00"))


def test_without_terms_a_session_confirms_to_us_and_the_telephone_by_hand() -> None:
    assert (default_terms("SIM1").role, default_terms("SIM1").channel) == ("buy_side", "fix")
    assert not default_terms("by-hand").sends_messages
