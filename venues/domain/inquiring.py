"""How often a venue is asked for the fate of a request, and when a person must take over.

The first question leaves when the request falls silent (or its session comes back); each further one waits twice as
long as the one before, up to a cap. After some unanswered questions a person is told whom to phone; the venue is still
asked, slowly, because only its word ends the matter.
"""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=10)
REVIEW_AFTER_ATTEMPTS = 5
REVIEW_AFTER = timedelta(minutes=3)
"""Also when it could not be asked at all: the session is down, or the venue takes no status request."""


def pause_after(attempts: int) -> timedelta:
    """How long to wait for an answer to the ``attempts``-th question (counted from 1) before asking again."""
    doublings: int = min(max(attempts - 1, 0), 16)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def needs_person(*, attempts: int, opened_at: datetime, now: datetime) -> bool:
    """Whether asking has gone on long enough for somebody to phone the venue."""
    return attempts >= REVIEW_AFTER_ATTEMPTS or now - opened_at >= REVIEW_AFTER
