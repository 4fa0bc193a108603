"""Stop what adds risk in a scope. One block stands for each scope and source; imposing it again changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Invalid
from kernel.ids import new_id
from risk.domain.stops import is_stop
from risk.locks import lock_blocks
from risk.models import Block, Scope
from risk.permissions import IMPOSE_BLOCK, require_right
from risk.selectors import TRADING_SWITCH
from risk.services._events import record


@dataclass(frozen=True, slots=True)
class BlockResult:
    """The block that stands (or stood), and whether this call changed anything."""

    block_id: UUID
    changed: bool


def impose_block(*, actor: Principal, at: datetime, scope: str, scope_id: str, source: str, reason: str) -> BlockResult:
    """Impose it. ``source`` names who alone may lift it. Raises NotPermitted RIGHT_MISSING, Invalid BLOCK_INVALID."""
    require_right(actor, IMPOSE_BLOCK, "Your role may not impose blocks.")
    if scope not in Scope.values or (scope == Scope.FIRM) != (scope_id == "") or not reason.strip():
        raise Invalid("BLOCK_INVALID", "A block needs a known scope, its id (none for the firm) and a reason.")
    if source == TRADING_SWITCH:
        raise Invalid("BLOCK_INVALID", "The trading switch is set by switch_trading.")
    if is_stop(source):
        raise Invalid("BLOCK_INVALID", "A stop is pressed by its own service and released by a second person.")
    with transaction.atomic():
        standing = lock_blocks(scope=scope, scope_id=scope_id, source=source)
        if standing is not None:
            return BlockResult(standing.id, changed=False)
        block = Block.objects.create(
            id=new_id(),
            scope=scope,
            scope_id=scope_id,
            source=source,
            reason=reason,
            imposed_by=actor.actor,
            imposed_at=at,
        )
        payload = {"block_id": str(block.id), "scope": scope, "scope_id": scope_id, "source": source, "reason": reason}
        record(stream=f"risk:{scope}:{scope_id}", kind="BlockImposed", actor=actor, at=at, payload=payload)
        return BlockResult(block.id, changed=True)
