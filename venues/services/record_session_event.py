"""Append one event to the stream of a FIX session: what its page shows as a timeline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id


def record_session_event(
    *, session: str, kind: str, at: datetime, actor: str = "process:gateway", detail: Mapping[str, Any] | None = None
) -> None:
    """``kind`` is SessionLoggedOn, SessionLost, SessionTakenOver, SessionEnabled or SessionDisabled.

    The first three say by ``epoch`` and ``next_in`` what was expected next from the venue: so what a loss cost can be told.
    """
    event_id = new_id()
    draft = EventDraft(
        id=event_id,
        stream=f"session:{session}",
        kind=kind,
        actor=actor,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload={"session": session, **(detail or {})},
    )
    append_to_stream(drafts=[draft], at=at)
