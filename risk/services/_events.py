"""The events of this room, in the stream of their scope."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authorisation.domain.principal import Principal
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id


def record(*, stream: str, kind: str, actor: Principal, at: datetime, payload: Mapping[str, Any]) -> None:
    """Append one event."""
    append_to_stream(drafts=[draft_of(stream=stream, kind=kind, actor=actor, at=at, payload=payload)], at=at)


def draft_of(*, stream: str, kind: str, actor: Principal, at: datetime, payload: Mapping[str, Any]) -> EventDraft:
    """One event for whoever appends several; the business date is the UTC date, as nothing here belongs to a market."""
    event_id = new_id()
    return EventDraft(
        id=event_id,
        stream=stream,
        kind=kind,
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload=payload,
    )
