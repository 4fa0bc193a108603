"""How far a recovery is; and, once, that it does not end and a person must look."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from venues.domain.recovering import Phase
from venues.models import FixSession, Recovery

ACTOR = "process:gateway"
RECOVERY_OVERDUE = "RECOVERY_OVERDUE"


def record_recovery_progress(
    *,
    recovery_id: UUID,
    phase: Phase,
    questions: int,
    expected: int | None,
    received: int,
    overdue: str,
    at: datetime,
) -> bool:
    """``overdue`` says what is missing when the time is over, else empty. Whether a person has opened the gate."""
    with transaction.atomic():
        row = Recovery.objects.get(id=recovery_id)
        row.state, row.questions, row.expected, row.received = phase.value, questions, expected, received
        row.asked_at = row.asked_at or (at if questions else None)
        changed = ["state", "questions", "expected", "received", "asked_at"]
        if overdue and row.overdue_at is None:
            row.overdue_at, row.reason = at, overdue
            changed += ["overdue_at", "reason"]
            raise_anomaly(anomaly=overdue_anomaly(row.session, f"{overdue} {_what_to_do(row)}"), actor=ACTOR, at=at)
        row.save(update_fields=changed)
    return row.opened_at is not None


def _what_to_do(row: Recovery) -> str:
    phone = FixSession.objects.select_related("venue").get(name=row.session).venue.phone
    return (
        f"Nothing that adds risk leaves on {row.session} until it is told or a person opens the gate. "
        f"Phone {phone or 'the venue (no number is known)'}."
    )


def overdue_anomaly(session: str, sentence: str) -> Anomaly:
    """The matter of a recovery that does not end."""
    return Anomaly(
        kind=RECOVERY_OVERDUE,
        severity=Severity.CRITICAL,
        subject_type="session",
        subject_id=session,
        sentence=sentence,
        dedupe_key=f"recovery:{session}",
    )
