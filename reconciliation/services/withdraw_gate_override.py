"""Shut a gate again that two people opened: whoever may ask or decide may, alone and at once, with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal, process_principal
from kernel.errors import Conflict
from reconciliation.domain.gate_overrides import require_text
from reconciliation.permissions import WORK_BREAK, require_decide
from reconciliation.selectors.gates import get_opening
from risk.services.end_waiver import end_waiver


def withdraw_gate_override(*, actor: Principal, at: datetime, waiver_id: UUID, reason: str) -> None:
    """Raises NotPermitted RIGHT_MISSING, Invalid OVERRIDE_INVALID, NotFound OVERRIDE_UNKNOWN, Conflict OVERRIDE_ENDED."""
    if WORK_BREAK not in actor.rights:
        require_decide(actor)
    why = require_text("reason", reason, "Say why.")
    get_opening(waiver_id)
    house = replace(process_principal("start_of_day"), on_behalf_of=actor.actor)
    if not end_waiver(actor=house, at=at, waiver_id=waiver_id, reason=f"Withdrawn: {why}"):
        raise Conflict("OVERRIDE_ENDED", "It has ended already.")
