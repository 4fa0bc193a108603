"""Locks of this room: what may be worked by one process at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from uuid import UUID

from journal.bulk import raw_cursor
from journal.domain.idempotency import lock_number
from operations.domain.exception_states import OPEN
from operations.models import ExceptionItem, Notice, Trial

_PROOF = lock_number("operations", "proof")


@contextmanager
def try_lock_proof() -> Iterator[bool]:
    """Whether the proof of the invariants is ours until the block ends; it outlives the transactions within."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_PROOF])
        row = cursor.fetchone()
    ours = bool(row and row[0])
    try:
        yield ours
    finally:
        if ours:
            with raw_cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_PROOF])


@contextmanager
def working_day(kind: str, place: str, day: date) -> Iterator[bool]:
    """Whether this session alone works the run of that day until the block ends; whoever dies lets go of it."""
    number = lock_number("operations", "day", kind, place, day.isoformat())
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        row = cursor.fetchone()
    ours = bool(row and row[0])
    try:
        yield ours
    finally:
        if ours:
            with raw_cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def lock_trial(trial_id: UUID) -> Trial | None:
    """The trial, worked by nobody else until commit; None when there is none."""
    return Trial.objects.select_for_update(of=("self",)).select_related("owner").filter(id=trial_id).first()


def lock_exception(item_id: UUID) -> ExceptionItem | None:
    """The item, changed by nobody else until commit; None when there is none."""
    rows = ExceptionItem.objects.select_for_update(of=("self",), no_key=True).select_related("owner", "desk")
    return rows.filter(id=item_id).first()


def lock_open_matters(dedupe_keys: Collection[str]) -> dict[str, ExceptionItem]:
    """The open items of these matters, in one order, by their keys."""
    rows = ExceptionItem.objects.select_for_update(no_key=True).filter(dedupe_key__in=dedupe_keys, state__in=OPEN)
    return {row.dedupe_key: row for row in rows.order_by("id")}


def lock_due_exceptions(at: datetime, *, limit: int) -> list[ExceptionItem]:
    """Open items that time moves at ``at``, the longest due first; those somebody works on right now come next time."""
    rows = ExceptionItem.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).select_related(
        "owner", "desk"
    )
    return list(rows.filter(state__in=OPEN, next_at__lte=at).order_by("next_at", "id")[:limit])


def lock_notices(keys: Collection[tuple[int, str]]) -> dict[tuple[int, str], Notice]:
    """The notices of these people and topics that exist, in one order, by person and topic."""
    users, topics = {user_id for user_id, _ in keys}, {topic for _, topic in keys}
    rows = Notice.objects.select_for_update(no_key=True).filter(user_id__in=users, topic__in=topics).order_by("id")
    return {(row.user_id, row.topic): row for row in rows}


def lock_due_mail(at: datetime, *, limit: int) -> list[Notice]:
    """Notices whose mail is due, the longest waiting first; what another copy has in hand is left to it."""
    rows = Notice.objects.select_for_update(no_key=True, skip_locked=True).filter(mail_due_at__lte=at)
    return list(rows.order_by("mail_due_at", "id")[:limit])
