"""Listener: a request about a block that lapsed or was taken back holds the block no longer; it is unallocated again.

What a checker decides frees the block by itself (``decide_allocation``); here is what ends without one. Idempotent.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from allocations.locks import lock_blocks
from allocations.selectors.cases import KIND
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from journal.domain.records import EventRecord


def handle(events: Sequence[EventRecord]) -> None:
    """Called in one transaction with the cursor, in order of position."""
    ids = {UUID(event.stream.partition(":")[2]) for event in events}
    closed = AuthorisationRequest.objects.filter(pk__in=ids, kind=KIND).exclude(state__in=OPEN)
    held = {UUID(payload["block_id"]) for payload in closed.values_list("payload", flat=True)}
    for block in lock_blocks(held).values():
        if block.request_id in ids:
            block.request_id = None
            block.save(update_fields=["request_id"])
