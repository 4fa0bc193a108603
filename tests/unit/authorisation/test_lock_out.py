"""How long a name waits after wrong passwords."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from authorisation.domain.lock_out import failures_after, locked_until

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(1, None), (4, None), (5, 30), (6, 60), (7, 120), (9, 480), (10, 900), (11, 900), (10_000, 900)],
)
def test_waiting_doubles_to_a_quarter_of_an_hour(failures: int, seconds: int | None) -> None:
    expected = AT + timedelta(seconds=seconds) if seconds else None
    assert locked_until(failures, at=AT) == expected


def test_an_old_series_is_forgotten() -> None:
    assert failures_after(0, last_failed_at=None, at=AT) == 1
    assert failures_after(7, last_failed_at=AT - timedelta(minutes=30), at=AT) == 8
    assert failures_after(7, last_failed_at=AT - timedelta(minutes=30, seconds=1), at=AT) == 1
