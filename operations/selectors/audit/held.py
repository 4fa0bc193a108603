"""What the house does not hold, in words: so that nobody takes an empty answer for a proof that nothing happened."""

from __future__ import annotations

from datetime import datetime

from journal.bulk import raw_cursor
from operations.selectors.retention import words_of_what_is_gone


def held_since() -> datetime | None:
    """When the oldest event was recorded."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT recorded_at FROM journal_event ORDER BY position LIMIT 1")
        row = cursor.fetchone()
    found: datetime | None = row[0] if row else None
    return found


def not_held(*, at: datetime) -> tuple[str, ...]:
    """Sentences, the most important first: how far back each class of records reaches by the rules of retention."""
    looks = (
        "Looks at pages are not kept, only searches, timelines, evidence and exports; refused requests without effect"
    )
    return (
        "Nothing from before the first event of this house.",
        *words_of_what_is_gone(at=at),
        "The prices that decisions saw stand in their checks, whether their ticks are kept or not.",
        f"{looks} are in the security log, which is not searched here.",
        "Passwords and secrets are never stored in messages.",
    )
