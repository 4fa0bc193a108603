"""Say again what the counterparty rejected: the rejected version ends, the next takes its place and leaves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.permissions import require_work
from allocations.services._acting import Acted, hold, named, once, require_reason
from allocations.services._confirming import Step, carry_out
from allocations.services.on_allocated_confirm import confirm_blocks
from authorisation.domain.principal import Principal
from kernel.errors import Conflict


def resend_confirmation(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    route: str,
    confirmation_ids: Sequence[UUID],
    reason: str,
) -> Acted:
    """Send the next version of each.

    Raises NotPermitted RIGHT_MISSING, NotFound CONFIRMATION_UNKNOWN, Invalid REASON_INVALID, Conflict CONFIRMATION_STATE.
    """
    require_work(actor)
    why, ids = require_reason(reason), sorted(set(confirmation_ids))

    def act() -> Acted:
        items = hold(actor, ids)
        for one in items:
            if one.row.state != moves.REJECTED:
                raise Conflict("CONFIRMATION_STATE", f"{one.row.ref} is {one.row.state}, not rejected.")
        carry_out([Step(one, "cancel", reason=f"Said again: {why}") for one in items], actor=actor, at=at)
        confirm_blocks({one.line.block_id for one in items}, at=at)
        return Acted(f"{named(items)} said again as the next version.")

    content = {"confirmations": [str(one) for one in ids], "reason": why}
    return once(actor=actor, at=at, route=route, key=idempotency_key, content=content, act=act)
