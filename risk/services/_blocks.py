"""The one way a block comes to stand: for ``impose_block``, and for the services that impose stops of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.ids import new_id
from risk.locks import lock_blocks
from risk.models import Block
from risk.services._events import record


@dataclass(frozen=True, slots=True)
class BlockResult:
    """The block that stands (or stood), and whether this call changed anything."""

    block_id: UUID
    changed: bool


def impose(*, actor: Principal, at: datetime, scope: str, scope_id: str, source: str, reason: str) -> BlockResult:
    """Let it stand, once; the caller has checked who asks and what for."""
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
