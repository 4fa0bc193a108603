"""The venue complains of too many messages: write down until when what adds risk is held back on the session."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from venues.models import FixSession
from venues.services.record_session_event import record_session_event


def hold_back_session(*, session: str, until: datetime, reason: str, at: datetime) -> None:
    """For the session's page and its timeline; the gateway holds back by itself."""
    with transaction.atomic():
        FixSession.objects.filter(name=session).update(held_until=until)
        detail = {"until": until.isoformat(), "reason": reason}
        record_session_event(session=session, kind="SessionHeldBack", at=at, detail=detail)
