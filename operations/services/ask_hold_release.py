"""Ask a second person to let go what a hold keeps."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import KEEP_RECORDS, Principal
from authorisation.selectors import has_open_request
from authorisation.services.raise_request import RaisedRequest, raise_request
from journal.models import LegalHold
from journal.selectors.retention import get_hold
from kernel.errors import Conflict, Invalid

KIND = "hold_release"


def ask_hold_release(*, actor: Principal, at: datetime, hold_id: UUID, reason: str) -> RaisedRequest:
    """Raises NotPermitted, NotFound HOLD_UNKNOWN, Invalid HOLD_INVALID, Conflict HOLD_RELEASED or HOLD_RELEASE_ASKED."""
    actor.require(KEEP_RECORDS, "Your role may not ask for the release of legal holds.")
    if not 0 < len(reason.strip()) <= 500:
        raise Invalid("HOLD_INVALID", "Say why it may be let go.", {"reason": ["Say why, in at most 500 characters."]})
    hold = get_hold(hold_id)
    if hold.state != LegalHold.State.HELD:
        raise Conflict("HOLD_RELEASED", f"The hold of matter {hold.matter} was released before.")
    if has_open_request(kind=KIND, subject_id=str(hold.id)):
        raise Conflict("HOLD_RELEASE_ASKED", "Its release waits for a second person already.")
    return raise_request(
        actor=actor,
        at=at,
        kind=KIND,
        subject_type="legal_hold",
        subject_id=str(hold.id),
        subject_version=1,
        payload={"hold_id": str(hold.id), "matter": hold.matter, "reason": reason.strip()},
        summary=f"Release the hold of matter {hold.matter}: {reason.strip()}"[:300],
    )
