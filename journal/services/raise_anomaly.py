"""Say that a person must look at something. Operations' listener turns it into an exception item."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from journal.domain.chain import EventDraft, EventRow
from journal.domain.records import ANOMALY_RAISED, Anomaly
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id


def anomaly_draft(
    *,
    anomaly: Anomaly,
    actor: str,
    at: datetime,
    kind: str = ANOMALY_RAISED,
    business_date: date | None = None,
    correlation_id: UUID | None = None,
    causation_id: UUID | None = None,
) -> EventDraft:
    """The event of an anomaly, in the stream of its dedupe key."""
    event_id = new_id()
    return EventDraft(
        id=event_id,
        stream=f"anomaly:{anomaly.dedupe_key}",
        kind=kind,
        actor=actor,
        correlation_id=correlation_id or event_id,
        causation_id=causation_id,
        event_at=at,
        received_at=at,
        business_date=business_date or at.date(),
        payload={
            "kind": anomaly.kind,
            "severity": str(anomaly.severity),
            "subject_type": anomaly.subject_type,
            "subject_id": anomaly.subject_id,
            "sentence": anomaly.sentence,
            "evidence": dict(anomaly.evidence),
            "dedupe_key": anomaly.dedupe_key,
        },
    )


def raise_anomaly(
    *,
    anomaly: Anomaly,
    actor: str,
    at: datetime,
    business_date: date | None = None,
    correlation_id: UUID | None = None,
    causation_id: UUID | None = None,
) -> EventRow:
    """Append AnomalyRaised in the caller's transaction, or in its own when there is none."""
    draft = anomaly_draft(
        anomaly=anomaly,
        actor=actor,
        at=at,
        business_date=business_date,
        correlation_id=correlation_id,
        causation_id=causation_id,
    )
    return append_to_stream(drafts=[draft], at=at)[0]
