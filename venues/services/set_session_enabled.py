"""Stop or allow new orders on a session. The session stays logged on: cancels and status requests always pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Conflict, Invalid, NotFound
from venues.locks import lock_sessions
from venues.permissions import require_switch_session
from venues.services.record_session_event import record_session_event


@dataclass(frozen=True, slots=True)
class SessionSwitched:
    """The session as it now is."""

    name: str
    enabled: bool


def set_session_enabled(*, actor: Principal, at: datetime, name: str, enabled: bool, reason: str) -> SessionSwitched:
    """Raises NotPermitted, NotFound, Invalid without a reason, Conflict when it already is so."""
    require_switch_session(actor)
    if not reason.strip():
        raise Invalid("REASON_MISSING", "Say why.", {"reason": ["Say why."]})
    with transaction.atomic(durable=True):
        row = lock_sessions(names=[name]).get(name)
        if row is None:
            raise NotFound("SESSION_NOT_FOUND", f"There is no session {name}.")
        if row.enabled is enabled:
            state = "allowed" if enabled else "stopped"
            raise Conflict("SESSION_ALREADY_SO", f"New orders on {name} are already {state}.")
        row.enabled = enabled
        row.save(update_fields=["enabled"])
        record_session_event(
            session=name,
            kind="SessionEnabled" if enabled else "SessionDisabled",
            at=at,
            actor=actor.actor,
            detail={"reason": reason.strip()},
        )
    return SessionSwitched(name, enabled)
