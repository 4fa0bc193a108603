"""How long a name, a second factor or an address must wait after failures. Pure. Unknown names wait like known ones."""

from __future__ import annotations

from datetime import datetime, timedelta

FREE_TRIES = 5
FREE_TRIES_OF_A_SOURCE = 50  # many people may share an address
FORGOTTEN_AFTER = timedelta(minutes=30)
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)


def failures_after(failures: int, *, last_failed_at: datetime | None, at: datetime) -> int:
    """The count with one more failure; an old series is forgotten."""
    if last_failed_at is None or at - last_failed_at > FORGOTTEN_AFTER:
        return 1
    return failures + 1


def locked_until(failures: int, *, at: datetime, free_tries: int = FREE_TRIES) -> datetime | None:
    """Until when nothing is tried: after five failures 30 s, doubling to 15 minutes. None while tries are free."""
    if failures < free_tries:
        return None
    wait = FIRST_WAIT
    for _ in range(min(failures - free_tries, 10)):
        wait = min(wait * 2, LONGEST_WAIT)
    return at + wait
