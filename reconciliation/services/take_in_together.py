"""Take the files of a morning in side by side: a session for each kind, a transaction for each file, as if they came alone.

Accounts come first, because cash and holdings name accounts that the same morning opens. While they are booked the other files are
staged already; then cash and holdings are weighed and booked at the same time. What both lock, the cash rows of the accounts that
change, they lock in the same order, so one waits for the other there and neither for ever. Files of one kind follow one another.

Whatever stops a session leaves its intake as it is, for whoever comes next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from itertools import groupby
from threading import Event

from django.db import connection

from authorisation.domain.principal import Principal
from reconciliation.domain.records import START_OF_DAY
from reconciliation.models import FeedFile, Intake
from reconciliation.services.begin_intake import begin_intake
from reconciliation.services.take_in import carry_on, take_in

FIRST = "accounts"
_ORDER = [kind.value for kind in START_OF_DAY]


def take_in_together(*, actor: Principal, at: datetime, files: Sequence[FeedFile]) -> list[Intake]:
    """What became of each, in the order of kinds. Raises what ``take_in`` does; what else was begun is finished then.

    In a transaction of the caller's there is one session and so one file after the other.
    """
    lanes = [(kind, list(group)) for kind, group in groupby(sorted(files, key=_place), key=lambda file: file.kind)]
    if connection.in_atomic_block or len(lanes) < 2:
        return [take_in(actor=actor, at=at, file_id=file.id) for _, lane in lanes for file in lane]
    opened = _Opened()
    first = [lane for kind, lane in lanes if kind == FIRST]
    others = [lane for kind, lane in lanes if kind != FIRST]
    with ThreadPoolExecutor(max_workers=len(others), thread_name_prefix="start-of-day") as pool:
        beside: list[Future[list[Intake]]] = [pool.submit(_lane, lane, actor, at, opened.wait) for lane in others]
        try:
            taken = [take_in(actor=actor, at=at, file_id=file.id) for lane in first for file in lane]
            opened.say(True)
        finally:
            opened.say(False)
    return [*taken, *(intake for lane in beside for intake in lane.result())]


class _Opened:
    """Whether the accounts of the morning are there: said once, waited for by everybody else."""

    def __init__(self) -> None:
        self._said = Event()
        self._there = False

    def say(self, there: bool) -> None:
        """The first word counts."""
        if not self._said.is_set():
            self._there = there
            self._said.set()

    def wait(self) -> bool:
        """False where they will not come: their files could not be taken in."""
        self._said.wait()
        return self._there


def _place(file: FeedFile) -> int:
    return _ORDER.index(file.kind) if file.kind in _ORDER else len(_ORDER)


def _lane(files: Sequence[FeedFile], actor: Principal, at: datetime, ready: Callable[[], bool]) -> list[Intake]:
    """One file after the other, in this thread's own session, which ends with it."""
    try:
        return [
            carry_on(begin_intake(actor=actor, at=at, file_id=file.id), actor=actor, at=at, ready=ready)
            for file in files
        ]  # fmt: skip
    finally:
        connection.close()
