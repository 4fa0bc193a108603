"""Say that the reason for an anomaly is gone. The item may close itself or ask its owner."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from journal.domain.chain import EventRow
from journal.domain.records import ANOMALY_CLEARED, Anomaly
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft


def clear_anomaly(
    *,
    anomaly: Anomaly,
    actor: str,
    at: datetime,
    business_date: date | None = None,
    correlation_id: UUID | None = None,
    causation_id: UUID | None = None,
) -> EventRow:
    """Append AnomalyCleared; ``anomaly.sentence`` says why the matter is settled."""
    draft = anomaly_draft(
        anomaly=anomaly,
        actor=actor,
        at=at,
        kind=ANOMALY_CLEARED,
        business_date=business_date,
        correlation_id=correlation_id,
        causation_id=causation_id,
    )
    return append_to_stream(drafts=[draft], at=at)[0]
