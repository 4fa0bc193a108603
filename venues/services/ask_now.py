"""A person wants the venue asked now, not when the next question is due."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import Principal
from journal.notify import notify
from kernel.errors import NotFound
from venues.domain.channels import wire_channel
from venues.locks import lock_sessions
from venues.permissions import require_switch_session
from venues.services.hurry_inquiries import hurry_inquiries
from venues.services.record_session_event import record_session_event


def ask_now(*, actor: Principal, at: datetime, name: str) -> int:
    """Make every open inquiry of the session due and wake its gateway; how many there are.

    Raises NotPermitted, NotFound.
    """
    require_switch_session(actor)
    with transaction.atomic(durable=True):
        row = lock_sessions(names=[name]).get(name)
        if row is None:
            raise NotFound("SESSION_NOT_FOUND", f"There is no session {name}.")
        due = hurry_inquiries(session=name, at=at)
        record_session_event(session=name, kind="InquiriesHurried", at=at, actor=actor.actor, detail={"inquiries": due})
        notify(wire_channel(row.group))
    return due
