"""What the doors of a person's acts on an instruction share: seen, locked, told in a stream of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from allocations.locks import lock_instructions
from allocations.models import SettlementInstruction
from allocations.selectors.settlement import find_instruction
from authorisation.domain.principal import Principal
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Refused
from kernel.ids import new_id

HELD_KIND, RELEASED_KIND, AGAIN_KIND = "SettlementHeld", "SettlementReleased", "SettlementSentAgain"


class NotPossible(Refused):
    """The instruction does not stand so that this can be done."""


def hold_row(actor: Principal, ref: str) -> SettlementInstruction:
    """The instruction under lock, until commit. Raises NotFound INSTRUCTION_UNKNOWN."""
    found = find_instruction(actor, ref)
    return lock_instructions([found.id])[found.id]


def tell_act(
    *, actor: Principal, at: datetime, kind: str, row: SettlementInstruction, reason: str, event_id: UUID | None = None, **more: Any
) -> UUID:  # fmt: skip
    """Append what a person did with it; the event's id."""
    event_id = event_id or new_id()
    draft = EventDraft(
        id=event_id, stream=f"settlement:{event_id}", kind=kind, actor=actor.actor, on_behalf_of=actor.on_behalf_of,
        correlation_id=event_id, event_at=at, received_at=at, business_date=at.date(),
        payload={"instruction_id": str(row.id), "ref": row.ref, "reason": reason, **more},
    )  # fmt: skip
    append_to_stream(drafts=[draft], at=at)
    return event_id
