"""Recomputes the hash of every event from what the table says now.

The envelope is ``journal.domain.chain.envelope``, the very bytes that were hashed when the event was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import orjson

from journal.domain.chain import EventDraft, envelope, payload_bytes
from operations.fsck.check import Found
from operations.fsck.snapshot import Snapshot

_EVENTS = """
SELECT id, stream, kind, actor, correlation_id, event_at, received_at, business_date, payload::text, causation_id,
       on_behalf_of, version, seq, recorded_at, prev_hash, hash
  FROM journal_event
"""


def altered_events(snapshot: Snapshot) -> Iterator[Found]:
    """Events whose hash does not cover what they say."""
    for row in snapshot.stream(_EVENTS):
        payload = orjson.loads(row[8])
        draft = EventDraft(*(*row[:8], payload, *row[9:12]))
        said = envelope(draft, seq=row[12], recorded_at=row[13], payload_json=payload_bytes(payload))
        if hashlib.sha256(bytes(row[14]) + said).digest() != bytes(row[15]):
            yield Found(f"{row[1]} event {row[12]}", "says something else than when it was written")
