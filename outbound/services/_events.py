"""The events of this room, in the stream of their subscription, and the anomalies about one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from journal.domain.chain import EventDraft
from journal.domain.records import Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.set_anomaly import set_anomaly
from kernel.ids import new_id
from outbound.models import Subscription

FAILING = "WEBHOOK_FAILING"
DEAD = "WEBHOOK_DEAD_LETTERS"
HALTED = "WEBHOOK_HALTED"
_SEVERITY = {FAILING: Severity.MEDIUM, DEAD: Severity.HIGH, HALTED: Severity.HIGH}


def record(*, subscription_id: UUID, kind: str, actor: Principal, at: datetime, payload: Mapping[str, Any]) -> None:
    """Append one event of ``kind`` to ``webhook:<id>``."""
    event_id = new_id()
    draft = EventDraft(
        id=event_id,
        stream=f"webhook:{subscription_id}",
        kind=kind,
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload={"subscription_id": str(subscription_id), **payload},
    )
    append_to_stream(drafts=[draft], at=at)


def set_matter(
    subscription: Subscription, kind: str, *, wrong: bool, sentence: str, actor: Principal, at: datetime
) -> None:
    """That a person must look at the subscription for this, or no longer; one matter of a kind for each."""
    anomaly = Anomaly(
        kind=kind,
        severity=_SEVERITY[kind],
        subject_type="webhook",
        subject_id=str(subscription.pk),
        sentence=f"{subscription.name}: {sentence}",
        dedupe_key=f"webhook:{subscription.pk}:{kind}",
        evidence={"url": subscription.url, "position": subscription.position, "last_error": subscription.last_error},
    )
    set_anomaly(anomaly=anomaly, wrong=wrong, actor=actor.actor, at=at)
