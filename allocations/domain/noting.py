"""What becomes of an account's note when its trades are looked at: nothing, a first note, another in its place, a cancellation. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class Step(StrEnum):
    """What to do about one account, day and market (or about one trade's own note)."""

    KEEP = "keep"
    ISSUE = "issue"
    REPLACE = "replace"
    CANCEL = "cancel"


def next_step(*, told: Collection[UUID] | None, stands: Collection[UUID], again: bool = False) -> Step:
    """``told`` are the trades of the live note (None: there is none), ``stands`` those it should tell of.

    ``again``: a person asked for another in its place although it tells of the same.
    """
    if told is None:
        return Step.ISSUE if stands else Step.KEEP
    if not stands:
        return Step.CANCEL
    return Step.REPLACE if again or set(told) != set(stands) else Step.KEEP


QUIET = timedelta(minutes=5)
"""For how long nothing has come or gone before a note tells of it: late trades come in rows, and each would end the note before."""
LAST_CALL = timedelta(hours=2)


def may_go(*, over: bool, waits: bool, moved_at: datetime, due: datetime, at: datetime) -> bool:
    """Whether a day's note goes out by itself: the market's day is over, no block of it can change it any more, and nothing
    has moved for a while. Near the deadline open blocks are no reason to wait, and just before it nothing is, because a note
    that is replaced is better than one that is late."""
    if not over:
        return False
    if due - QUIET <= at <= due:
        return True
    return at - moved_at >= QUIET and (not waits or at >= due - LAST_CALL)
