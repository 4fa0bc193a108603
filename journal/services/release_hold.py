"""Let go what a hold kept. Called when a second person has said yes; other holds keep what they cover."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from journal.bulk import one_transaction
from journal.domain.chain import EventDraft
from journal.locks import lock_hold
from journal.models import LegalHold
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Conflict
from kernel.ids import new_id


def release_hold(
    *, actor: str, on_behalf_of: str = "", at: datetime, hold_id: UUID, asked_by: str, reason: str
) -> None:
    """Raises NotFound HOLD_UNKNOWN; Conflict HOLD_RELEASED when it was let go before."""
    with one_transaction():
        hold = lock_hold(hold_id)
        if hold.state != LegalHold.State.HELD:
            raise Conflict("HOLD_RELEASED", f"The hold of matter {hold.matter} was released before.")
        hold.state, hold.released_by, hold.released_at = LegalHold.State.RELEASED, actor, at
        hold.save(update_fields=["state", "released_by", "released_at"])
        draft = EventDraft(
            id=new_id(),
            stream=hold.stream,
            kind="LegalHoldReleased",
            actor=actor,
            on_behalf_of=on_behalf_of,
            correlation_id=hold.id,
            event_at=at,
            received_at=at,
            business_date=at.date(),
            payload={"asked_by": asked_by, "reason": reason},
        )
        append_to_stream(drafts=[draft], at=at)
