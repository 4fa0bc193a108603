"""How long an order or a request may stay in a state that somebody else must end, before a person is told. Pure data.

What was handed over and is not answered is the gateway's to ask about and not in this table. The clock of a venue's
pending state starts again with each word of the venue about the order.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from journal.domain.records import Severity


class Bound(NamedTuple):
    """``state`` is a request's, or OrdStatus (39) where ``at_venue``; ``who`` is whom we wait for."""

    state: str
    at_venue: bool
    longest: timedelta
    severity: Severity
    who: str


BOUNDS: tuple[Bound, ...] = (
    # A capture judges and writes at once: nothing stays captured.
    Bound("captured", False, timedelta(seconds=30), Severity.HIGH, "our checks"),
    # Longer than any policy lets an approval wait before it lapses.
    Bound("pending_authorisation", False, timedelta(minutes=35), Severity.MEDIUM, "a second person"),
    # Longer than any session lets an order wait for it to come back.
    Bound("released", False, timedelta(seconds=60), Severity.HIGH, "the gateway"),
    Bound("A", True, timedelta(minutes=2), Severity.HIGH, "the venue to accept the order"),
    Bound("6", True, timedelta(minutes=2), Severity.HIGH, "the venue to answer the cancel"),
    Bound("E", True, timedelta(minutes=2), Severity.MEDIUM, "the venue to answer the replace"),
)


def in_words(longest: timedelta) -> str:
    """The bound as people say it."""
    seconds = int(longest.total_seconds())
    return f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"
