"""A person opens the gate of a recovery that does not end: new orders leave although nothing is known to be equal.

The recovery goes on; what it finds later still blocks the accounts it concerns.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import Principal
from journal.notify import notify
from kernel.errors import Conflict, Invalid, NotFound
from venues.domain.channels import wire_channel
from venues.locks import lock_sessions
from venues.models import FixSession, Recovery
from venues.permissions import require_open_gate
from venues.services.record_session_event import record_session_event


def open_recovery_gate(*, actor: Principal, at: datetime, name: str, reason: str) -> None:
    """Raises NotPermitted, NotFound, Invalid without a reason, Conflict while no recovery is overdue."""
    require_open_gate(actor)
    if not reason.strip():
        raise Invalid("REASON_MISSING", "Say why.", {"reason": ["Say why."]})
    with transaction.atomic(durable=True):
        session = lock_sessions(names=[name]).get(name)
        if session is None:
            raise NotFound("SESSION_NOT_FOUND", f"There is no session {name}.")
        row = Recovery.objects.filter(session=name, state__in=[Recovery.State.ASKING, Recovery.State.COMPARING]).first()
        if row is None or row.overdue_at is None or row.opened_at is not None:
            raise Conflict("GATE_NOT_OVERDUE", f"No recovery of {name} waits for a person.")
        row.opened_at, row.opened_by, row.opened_reason = at, actor.actor, reason.strip()
        row.save(update_fields=["opened_at", "opened_by", "opened_reason"])
        if session.state == FixSession.State.RECOVERING:
            session.state, session.state_at = FixSession.State.LOGGED_ON, at
            session.state_reason = "A person opened the gate before the recovery had ended."
            session.save(update_fields=["state", "state_at", "state_reason"])
        detail = {"recovery_id": str(row.id), "reason": reason.strip()}
        record_session_event(session=name, kind="RecoveryGateOpened", at=at, actor=actor.actor, detail=detail)
        notify(wire_channel(session.group))
