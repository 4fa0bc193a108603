"""Hold back an instruction that has not left, with a reason: no rule and no cut-off sends it before somebody releases it."""

from __future__ import annotations

from datetime import datetime

from allocations.domain import transitions as moves
from allocations.models import SettlementInstruction
from allocations.permissions import require_work
from allocations.services._acting import Acted, once, require_reason
from allocations.services._on_one_instruction import HELD_KIND, NotPossible, hold_row, tell_act
from authorisation.domain.principal import Principal


def hold_instruction(
    *, actor: Principal, at: datetime, idempotency_key: str, route: str, ref: str, reason: str
) -> Acted:
    """Raises NotPermitted RIGHT_MISSING, Invalid REASON_INVALID, NotFound INSTRUCTION_UNKNOWN, NotPossible INSTRUCTION_LEFT or
    INSTRUCTION_HELD; then nothing changed."""
    require_work(actor)
    why = require_reason(reason)

    def act() -> Acted:
        row = hold_row(actor, ref)
        refused = why_not_held(row)
        if refused is not None:
            raise refused
        row.event_id = tell_act(actor=actor, at=at, kind=HELD_KIND, row=row, reason=why)
        row.held_at, row.held_by, row.held_why = at, actor.username, why
        row.save(update_fields=["held_at", "held_by", "held_why", "event_id"])
        return Acted(f"{row.ref} is held back until somebody releases it.")

    return once(actor=actor, at=at, route=route, key=idempotency_key, content={"ref": ref, "reason": why}, act=act)


def why_not_held(row: SettlementInstruction) -> NotPossible | None:
    """What speaks against it, as the button says it too."""
    if row.state != moves.WAITING:
        return NotPossible("INSTRUCTION_LEFT", f"{row.ref} is {row.state}: only what has not left can be held back.")
    if row.held_at is not None:
        return NotPossible("INSTRUCTION_HELD", f"{row.ref} is held back by {row.held_by} already.")
    return None
