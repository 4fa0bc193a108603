"""End sessions of a person, one or all but one. The browser is signed out at its next request, its stream within 30 s."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.domain.sessions import ENDED_BY_ADMINISTRATOR, ENDED_BY_PERSON
from authorisation.models import Session
from authorisation.permissions import require_administrator
from authorisation.services._events import record
from journal.bulk import raw_cursor


def end_sessions(
    *,
    actor: Principal,
    at: datetime,
    user_id: int,
    session_id: UUID | None = None,
    but: UUID | None = None,
    reason: str = "",
) -> int:
    """End the session named, or all of the user's except ``but``. Returns how many ended; one that is over changes nothing.

    One's own, else NotPermitted RIGHT_MISSING without the right to administer users.
    """
    if user_id != actor.user_id:
        require_administrator(actor, confirmed=False)
    why = reason or (ENDED_BY_PERSON if user_id == actor.user_id else ENDED_BY_ADMINISTRATOR)
    with transaction.atomic():
        chosen = Session.objects.filter(user_id=user_id)
        if session_id is not None:
            chosen = chosen.filter(id=session_id)
        if but is not None:
            chosen = chosen.exclude(id=but)
        ended = _delete(list(chosen.values_list("digest", flat=True)))
        for found in ended:
            record(
                stream=f"user:{user_id}",
                kind="SessionEnded",
                actor=actor,
                at=at,
                payload={"session_id": str(found), "reason": why},
            )
    return len(ended)


def _delete(digests: list[str]) -> list[UUID]:
    """Each row by whoever is first: of two who end the same session one tells it."""
    with raw_cursor() as cursor:
        cursor.execute("DELETE FROM authorisation_session WHERE digest = ANY(%s) RETURNING id", [digests])
        return [row[0] for row in cursor.fetchall()]
