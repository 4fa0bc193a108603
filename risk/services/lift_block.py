"""Lift a standing block: only under the source that imposed it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Invalid, NotFound
from risk.domain.stops import OPENED_BY_FACTS, is_stop, kind_of
from risk.locks import lock_blocks, lock_waivers_of
from risk.permissions import IMPOSE_BLOCK, require_right
from risk.selectors import TRADING_SWITCH
from risk.services._blocks import BlockResult
from risk.services._events import record
from risk.services.end_waiver import end


def lift_block(*, actor: Principal, at: datetime, scope: str, scope_id: str, source: str, reason: str) -> BlockResult:
    """Lift it. Raises NotPermitted RIGHT_MISSING, NotFound BLOCK_UNKNOWN when none of that source stands in the scope."""
    require_right(actor, IMPOSE_BLOCK, "Your role may not lift blocks.")
    if source == TRADING_SWITCH:
        raise Invalid("BLOCK_INVALID", "The trading switch is set by switch_trading.")
    if not actor.is_process and (instead := OPENED_BY_FACTS.get(kind_of(source))):
        raise Invalid("BLOCK_INVALID", instead)
    if is_stop(source):
        raise Invalid("BLOCK_INVALID", "A stop is pressed by its own service and released by a second person.")
    with transaction.atomic():
        standing = lock_blocks(scope=scope, scope_id=scope_id, source=source)
        if standing is None:
            raise NotFound("BLOCK_UNKNOWN", "No block of that source stands there.", {"scope": scope, "source": source})
        standing.lifted_by, standing.lifted_at = actor.actor, at
        standing.save(update_fields=["lifted_by", "lifted_at"])
        payload = {
            "block_id": str(standing.id),
            "scope": scope,
            "scope_id": scope_id,
            "source": source,
            "reason": reason,
        }
        record(stream=f"risk:{scope}:{scope_id}", kind="BlockLifted", actor=actor, at=at, payload=payload)
        for waiver in lock_waivers_of(standing.id):
            end(waiver, actor=actor, at=at, reason=f"The gate is open: {reason}")
        return BlockResult(standing.id, changed=True)
