"""Write events into streams that have no row of their own to keep their head in: accounts, sessions, anomalies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from journal.bulk import one_transaction, update_rows
from journal.domain.chain import EventDraft, EventRow, last_heads
from journal.locks import lock_heads
from journal.models import StreamHead
from journal.services.append_events import append_events


def append_to_stream(*, drafts: Sequence[EventDraft], at: datetime, wake: bool = True) -> tuple[EventRow, ...]:
    """Lock the heads, append, move the heads. Returns the rows as written, in the order given."""
    if not drafts:
        return ()
    with one_transaction():
        heads = lock_heads(draft.stream for draft in drafts)
        rows = append_events(drafts=drafts, heads=heads, at=at, wake=wake)
        moved = [(stream, head.seq, head.hash) for stream, head in last_heads(rows).items()]
        update_rows(StreamHead, moved, key=("stream",), fields=("seq", "hash"))
        return rows
