"""End the word that opens a gate, before its time or with it: the gate stands again for whom it was open. Ended once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import NotFound
from risk.locks import lock_waiver
from risk.models import Waiver
from risk.permissions import IMPOSE_BLOCK, require_right
from risk.services._events import record


def end_waiver(*, actor: Principal, at: datetime, waiver_id: UUID, reason: str) -> bool:
    """Whether it stood until now. Raises NotPermitted RIGHT_MISSING, NotFound WAIVER_UNKNOWN."""
    require_right(actor, IMPOSE_BLOCK, "Your role may not close a gate.")
    with transaction.atomic():
        waiver = lock_waiver(waiver_id)
        if waiver is None:
            raise NotFound("WAIVER_UNKNOWN", "There is no such word that opens a gate.")
        if waiver.ended_at is not None:
            return False
        end(waiver, actor=actor, at=at, reason=reason)
    return True


def end(waiver: Waiver, *, actor: Principal, at: datetime, reason: str) -> None:
    """The same, of one that is locked and stands."""
    waiver.ended_at, waiver.ended_by, waiver.ended_reason = at, actor.on_behalf_of or actor.actor, reason
    waiver.save(update_fields=["ended_at", "ended_by", "ended_reason"])
    block = waiver.block
    payload = {
        "waiver_id": str(waiver.id), "block_id": str(block.id), "source": block.source, "account_id": waiver.account_id,
        "reason": reason,
    }  # fmt: skip
    record(stream=f"risk:{block.scope}:{block.scope_id}", kind="WaiverEnded", actor=actor, at=at, payload=payload)
