"""Recomputes the hash of every event from what the table says now.

The envelope is that of ``journal.domain.chain``: canonical JSON with its keys in order. Its plain fields are put together by
the server and stay bytes here, so that Python has only the payload to bring into canonical form and the digest to take; an
event that fails this way is looked at once more by the very function that hashed it, so that only a real difference is a finding.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal

import orjson

from journal.domain.chain import payload_bytes
from operations.fsck.check import Found
from operations.fsck.snapshot import Snapshot


def _moment(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')"""


_EVENTS = f"""
SELECT prev_hash, hash,
       concat('{{"actor":', to_json(actor), ',"business_date":"', business_date, '","causation_id":',
              coalesce('"' || causation_id || '"', 'null'), ',"correlation_id":"', correlation_id, '","event_at":"',
              {_moment("event_at")}, 'Z","id":"', id, '","kind":', to_json(kind), ',"on_behalf_of":', to_json(on_behalf_of),
              ',"payload":'),
       payload::text,
       concat(',"received_at":"', {_moment("received_at")}, 'Z","recorded_at":"', {_moment("recorded_at")}, 'Z","seq":', seq,
              ',"stream":', to_json(stream), ',"version":', version, '}}')
  FROM journal_event
"""


def altered_events(snapshot: Snapshot) -> Iterator[Found]:
    """Events whose hash does not cover what they say."""
    loads, dumps, sha256, by_key = orjson.loads, orjson.dumps, hashlib.sha256, orjson.OPT_SORT_KEYS
    for prev_hash, known, before, payload, after in snapshot.copy(_EVENTS, *["bytea"] * 5):  # text is read as its bytes
        said = dumps(loads(payload), option=by_key)
        if sha256(b"".join((prev_hash, before, said, after))).digest() == known:
            continue
        exact = payload_bytes(json.loads(payload, parse_float=Decimal))
        if sha256(b"".join((prev_hash, before, exact, after))).digest() != known:
            place = loads(b"{" + after[1:])
            yield Found(f"{place['stream']} event {place['seq']}", "says something else than when it was written")
