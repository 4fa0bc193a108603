"""Remove the sessions whose time is over, and say so of those that were somebody's. They stopped working before."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from authorisation.domain.principal import process_principal
from authorisation.domain.sessions import why_ended
from authorisation.services._events import record
from journal.bulk import raw_cursor

_DELETE = """
DELETE FROM authorisation_session WHERE digest IN (
    SELECT digest FROM authorisation_session WHERE expires_at <= %s ORDER BY expires_at, digest LIMIT %s)
RETURNING id, user_id, started_at, expires_at
"""


def end_expired_sessions(*, at: datetime, limit: int = 500) -> int:
    """Up to ``limit`` of them, the longest over first. Returns how many went."""
    with transaction.atomic():
        with raw_cursor() as cursor:
            cursor.execute(_DELETE, [at, limit])
            gone = cursor.fetchall()
        for session_id, user_id, started_at, expires_at in gone:
            if user_id is None:
                continue
            record(
                stream=f"user:{user_id}",
                kind="SessionEnded",
                actor=process_principal("relay"),
                at=at,
                payload={
                    "session_id": str(session_id),
                    "reason": why_ended(settings.SESSION_TIMES, started_at=started_at, ended_at=expires_at),
                },
            )
    return len(gone)
