"""Release an instruction that somebody held back: it leaves when its rule says so, and past its cut-off at the next look."""

from __future__ import annotations

from datetime import datetime

from allocations.domain import transitions as moves
from allocations.models import SettlementInstruction
from allocations.permissions import require_work
from allocations.services._acting import Acted, once, require_reason
from allocations.services._on_one_instruction import RELEASED_KIND, NotPossible, hold_row, tell_act
from allocations.services._settlement_events import HELD, settlement_anomaly
from authorisation.domain.principal import Principal
from journal.domain.records import Severity
from journal.services.set_anomaly import set_anomaly


def release_instruction(
    *, actor: Principal, at: datetime, idempotency_key: str, route: str, ref: str, reason: str
) -> Acted:
    """Raises NotPermitted RIGHT_MISSING, Invalid REASON_INVALID, NotFound INSTRUCTION_UNKNOWN, NotPossible INSTRUCTION_NOT_HELD;
    then nothing changed."""
    require_work(actor)
    why = require_reason(reason)

    def act() -> Acted:
        row = hold_row(actor, ref)
        refused = why_not_released(row)
        if refused is not None:
            raise refused
        row.event_id = tell_act(actor=actor, at=at, kind=RELEASED_KIND, row=row, reason=why)
        row.held_at, row.held_by, row.held_why = None, "", ""
        row.save(update_fields=["held_at", "held_by", "held_why", "event_id"])
        gone = settlement_anomaly(HELD, row, "it is released.", severity=Severity.LOW)
        set_anomaly(anomaly=gone, wrong=False, actor=actor.actor, at=at)
        return Acted(f"{row.ref} is released.")

    return once(actor=actor, at=at, route=route, key=idempotency_key, content={"ref": ref, "reason": why}, act=act)


def why_not_released(row: SettlementInstruction) -> NotPossible | None:
    """What speaks against it, as the button says it too."""
    if row.state == moves.WAITING and row.held_at is not None:
        return None
    return NotPossible("INSTRUCTION_NOT_HELD", f"Nobody holds {row.ref} back.")
