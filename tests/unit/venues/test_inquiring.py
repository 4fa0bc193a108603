"""How often a venue is asked, and when a person takes over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from venues.domain.inquiring import REVIEW_AFTER, REVIEW_AFTER_ATTEMPTS, needs_person, pause_after

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 10), (1, 10), (2, 20), (3, 40), (6, 320), (7, 600), (10**6, 600)]
)
def test_each_question_waits_twice_as_long_up_to_ten_minutes(attempts: int, seconds: int) -> None:
    assert pause_after(attempts) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("attempts", "age", "person"),
    [
        (REVIEW_AFTER_ATTEMPTS - 1, REVIEW_AFTER - timedelta(seconds=1), False),
        (REVIEW_AFTER_ATTEMPTS, timedelta(0), True),
        (0, REVIEW_AFTER, True),
    ],
)
def test_a_person_is_told_after_some_questions_or_some_minutes(attempts: int, age: timedelta, person: bool) -> None:
    assert needs_person(attempts=attempts, opened_at=AT - age, now=AT) is person
