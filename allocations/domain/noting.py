"""What becomes of an account's note when its trades are looked at: nothing, a first note, another in its place, a cancellation. Pure."""

from __future__ import annotations

from collections.abc import Collection
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


def may_go(*, over: bool, waits: bool, last_call: bool) -> bool:
    """Whether a day's note goes out by itself: the market's day is over and no block of it can change it any more; near the
    deadline as it stands, because a note that is replaced is better than one that is late."""
    return over and (not waits or last_call)
