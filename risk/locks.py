"""Blocks under lock: after accounts, before orders. One advisory lock a (scope, source) also guards the row not yet there."""

from __future__ import annotations

from journal.bulk import raw_cursor
from journal.domain.idempotency import lock_number
from risk.models import Block


def lock_blocks(*, scope: str, scope_id: str, source: str) -> Block | None:
    """The standing block of this scope and source, or None; nobody else changes it until commit."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number("risk-block", scope, scope_id, source)])
    return (
        Block.objects.select_for_update()
        .filter(scope=scope, scope_id=scope_id, source=source, lifted_at__isnull=True)
        .first()
    )
