"""The events of this room, in the stream of their subject."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id


def record(
    *,
    stream: str,
    kind: str,
    actor: Principal,
    at: datetime,
    payload: Mapping[str, Any],
    correlation_id: UUID | None = None,
) -> None:
    """Append one event of ``kind``."""
    told = draft(stream=stream, kind=kind, actor=actor, at=at, payload=payload, correlation_id=correlation_id)
    append_to_stream(drafts=[told], at=at)


def draft(
    *,
    stream: str,
    kind: str,
    actor: Principal,
    at: datetime,
    payload: Mapping[str, Any],
    correlation_id: UUID | None = None,
) -> EventDraft:
    """One event of ``kind``; the business date is the UTC date, as nothing here belongs to a market."""
    event_id = new_id()
    return EventDraft(
        id=event_id,
        stream=stream,
        kind=kind,
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=correlation_id or event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload=payload,
    )


def why(because: str) -> dict[str, str]:
    """For a payload: what made a process take something away; nothing where a person did and answers for it."""
    return {"because": because} if because else {}
