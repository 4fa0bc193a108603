"""Keep that somebody looked: a search, a timeline opened, evidence or an export taken. One event an action, never a poll.

It is an event like any other, in the stream of the reader, so it is chained, sealed and found by the same search. A reader
whose look cannot be recorded sees nothing: callers record before they answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.canonical import jsonable
from kernel.ids import new_id

AUDIT_SEARCHED = "AuditSearched"
TIMELINE_OPENED = "TimelineOpened"
EVIDENCE_TAKEN = "EvidenceTaken"
RECORDS_EXPORTED = "RecordsExported"
READS = "reads:"
MOST_CHARACTERS = 400


def record_read(*, actor: Principal, at: datetime, kind: str, what: Mapping[str, Any]) -> UUID:
    """Append what was looked at; texts are cut at 400 characters. Returns the id of the event."""
    event_id = new_id()
    payload = {name: _short(value) for name, value in what.items() if value not in ("", None)}
    draft = EventDraft(
        id=event_id,
        stream=f"{READS}{actor.user_id}",
        kind=kind,
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload=jsonable(payload),
    )
    append_to_stream(drafts=[draft], at=at, wake=False)
    return event_id


def _short(value: Any) -> Any:
    return value[:MOST_CHARACTERS] if isinstance(value, str) else value
