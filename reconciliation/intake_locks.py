"""Locks of the start of day: one file of a kind and source is weighed at a time, and an intake's row before any balance."""

from __future__ import annotations

from uuid import UUID

from journal.bulk import raw_cursor
from journal.domain.idempotency import lock_number
from reconciliation.models import Intake


def lock_intakes_of(*, kind: str, source: str) -> None:
    """Nobody else begins, accepts or ends an intake of the kind and source until commit."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number(f"intake:{kind}", source)])


def lock_intake(intake_id: UUID) -> Intake:
    """Its row, behind the lock of its kind and source."""
    found = Intake.objects.get(pk=intake_id)
    lock_intakes_of(kind=found.kind, source=found.source)
    return Intake.objects.select_for_update().get(pk=intake_id)
