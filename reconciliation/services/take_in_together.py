"""Take the files of a morning in side by side: a session for each kind, a transaction for each file, as if they came alone.

Accounts come first, because cash and holdings name accounts that the same morning opens. While they are booked the other files are
staged already, and the first holdings of a house made ready (``_ahead``); then cash and holdings are booked at the same time. What
both lock, the cash rows of the accounts that change, they lock in the same order, so one waits for the other there and neither for
ever. Files of one kind follow one another.

Whatever stops a session leaves its intake as it is, for whoever comes next.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from itertools import groupby

from django.db import connection

from authorisation.domain.principal import Principal
from reconciliation.domain.records import START_OF_DAY
from reconciliation.models import FeedFile, Intake
from reconciliation.services._ahead import Beside
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
    beside = Beside()
    first = [lane for kind, lane in lanes if kind == FIRST]
    others = [lane for kind, lane in lanes if kind != FIRST]
    with ThreadPoolExecutor(max_workers=len(others), thread_name_prefix="start-of-day") as pool:
        running: list[Future[list[Intake]]] = [pool.submit(_lane, lane, actor, at, beside) for lane in others]
        try:
            taken = [_accounts(file, actor, at, beside) for lane in first for file in lane]
            beside.ended(there=True)
        finally:
            beside.ended(there=False)
    return [*taken, *(intake for lane in running for intake in lane.result())]


def _accounts(file: FeedFile, actor: Principal, at: datetime, beside: Beside) -> Intake:
    intake = begin_intake(actor=actor, at=at, file_id=file.id)
    beside.begun(intake.id)
    return carry_on(intake, actor=actor, at=at)


def _place(file: FeedFile) -> int:
    return _ORDER.index(file.kind) if file.kind in _ORDER else len(_ORDER)


def _lane(files: Sequence[FeedFile], actor: Principal, at: datetime, beside: Beside) -> list[Intake]:
    """One file after the other, in this thread's own session, which ends with it."""
    try:
        return [
            carry_on(begin_intake(actor=actor, at=at, file_id=file.id), actor=actor, at=at, beside=beside)
            for file in files
        ]  # fmt: skip
    finally:
        connection.close()
