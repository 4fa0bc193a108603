"""Locks of this room: what may be worked by one process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from journal.bulk import raw_cursor
from journal.domain.idempotency import lock_number
from operations.models import Trial

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


def lock_trial(trial_id: UUID) -> Trial | None:
    """The trial, worked by nobody else until commit; None when there is none."""
    return Trial.objects.select_for_update(of=("self",)).select_related("owner").filter(id=trial_id).first()
