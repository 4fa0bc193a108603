"""The hash chain of a stream: each event's hash covers the one before and everything it says. Pure.

``hash = sha256(prev_hash + envelope)`` where the envelope is the canonical JSON (sorted keys, no spaces, UTF-8) of
every field an event has but its place in the table. The first event of a stream follows :data:`GENESIS`. A verifier
needs nothing of ours: SHA-256, JSON, and this paragraph.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from kernel.canonical import PLAIN, canonical_json, is_plain
from kernel.texts import id_text, utc_text

GENESIS = bytes(32)
Canonical = orjson.Fragment
"""JSON text that is canonical already (sorted keys, no spaces): it is hashed and stored as it is, and whoever makes it answers
for that; a verifier that reads it back finds ``altered`` where it was not."""

_PLAIN = PLAIN | {Canonical}


@dataclass(frozen=True, slots=True)
class EventDraft:
    """What happened, before it has its place in a stream. ``payload`` is plain JSON, decimals as text; a part of it may be
    :class:`Canonical` text, for who has thousands of rows to tell.

    ``event_at`` is when the world did it, ``received_at`` when we learned of it; both timezone-aware.
    """

    id: UUID
    stream: str
    kind: str
    actor: str
    correlation_id: UUID
    event_at: datetime
    received_at: datetime
    business_date: date
    payload: Mapping[str, Any]
    causation_id: UUID | None = None
    on_behalf_of: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Head:
    """The last sequence and hash of a stream; a new stream stands at 0."""

    seq: int = 0
    hash: bytes = GENESIS


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event with its place: what is written. ``payload_json`` is the canonical text that was hashed."""

    draft: EventDraft
    seq: int
    recorded_at: datetime
    prev_hash: bytes
    hash: bytes
    payload_json: bytes = field(repr=False)

    @property
    def head(self) -> Head:
        return Head(self.seq, self.hash)


@dataclass(frozen=True, slots=True)
class ChainFault:
    """One place where a stored stream is not what was written. ``what``: gap, broken_link or altered."""

    stream: str
    seq: int
    what: str
    sentence: str


@lru_cache(maxsize=16_384)
def _text(value: str) -> str:
    return orjson.dumps(value).decode()


def payload_bytes(payload: Mapping[str, Any]) -> bytes:
    """Canonical JSON of a payload: the same bytes as ``kernel.canonical.canonical_json``, at a tenth of the cost.

    A float has no canonical form and raises TypeError.
    """
    plain = is_plain(payload, _PLAIN)
    return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS) if plain else canonical_json(payload)


def envelope(draft: EventDraft, *, seq: int, recorded_at: datetime, payload_json: bytes) -> bytes:
    """The bytes a hash covers. Written by hand in key order, because it runs once for every event of the house."""
    causation = f'"{id_text(draft.causation_id)}"' if draft.causation_id else "null"
    return (
        f'{{"actor":{_text(draft.actor)},"business_date":"{draft.business_date.isoformat()}",'
        f'"causation_id":{causation},"correlation_id":"{id_text(draft.correlation_id)}",'
        f'"event_at":"{utc_text(draft.event_at)}","id":"{id_text(draft.id)}","kind":{_text(draft.kind)},'
        f'"on_behalf_of":{_text(draft.on_behalf_of)},"payload":'
    ).encode() + b"".join(
        (
            payload_json,
            f',"received_at":"{utc_text(draft.received_at)}","recorded_at":"{utc_text(recorded_at)}",'
            f'"seq":{seq},"stream":{_text(draft.stream)},"version":{draft.version}}}'.encode(),
        )
    )


def chain(drafts: Sequence[EventDraft], heads: Mapping[str, Head], *, recorded_at: datetime) -> tuple[EventRow, ...]:
    """Give each draft its sequence, previous hash and hash, in the order given, behind the head of its stream.

    A stream without a head in ``heads`` starts at 1.
    """
    current = dict(heads)
    rows: list[EventRow] = []
    for draft in drafts:
        head = current.get(draft.stream) or Head()
        if head.seq == 0:
            head = Head()  # an owner that has written nothing may keep any hash
        seq = head.seq + 1
        payload_json = payload_bytes(draft.payload)
        preimage = envelope(draft, seq=seq, recorded_at=recorded_at, payload_json=payload_json)
        digest = hashlib.sha256(head.hash + preimage).digest()
        rows.append(EventRow(draft, seq, recorded_at, head.hash, digest, payload_json))
        current[draft.stream] = Head(seq, digest)
    return tuple(rows)


def last_heads(rows: Iterable[EventRow]) -> dict[str, Head]:
    """The head of each stream after the rows."""
    return {row.draft.stream: row.head for row in rows}


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it was read back, in the shape :func:`verify_chain` needs."""

    draft: EventDraft
    seq: int
    recorded_at: datetime
    prev_hash: bytes
    hash: bytes


def verify_chain(events: Iterable[StoredEvent], *, after: Head | None = None) -> list[ChainFault]:
    """Every fault of one stream read in order of sequence, beginning behind ``after``. An empty list means intact."""
    faults: list[ChainFault] = []
    head = after or Head()
    for event in events:
        stream = event.draft.stream
        if event.seq != head.seq + 1:
            sentence = f"Sequence {head.seq + 1} of {stream} is missing; {event.seq} follows {head.seq}."
            faults.append(ChainFault(stream, event.seq, "gap", sentence))
        elif event.prev_hash != head.hash:
            sentence = f"Event {event.seq} of {stream} does not name the hash of event {head.seq}."
            faults.append(ChainFault(stream, event.seq, "broken_link", sentence))
        preimage = envelope(
            event.draft,
            seq=event.seq,
            recorded_at=event.recorded_at,
            payload_json=payload_bytes(event.draft.payload),
        )
        if hashlib.sha256(event.prev_hash + preimage).digest() != event.hash:
            sentence = f"Event {event.seq} of {stream} says something else than when it was written."
            faults.append(ChainFault(stream, event.seq, "altered", sentence))
        head = Head(event.seq, event.hash)
    return faults
