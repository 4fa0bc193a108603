"""Write what a stranger needs to verify a part of the journal offline: events as they were hashed, seals, proofs, anchors.

Two scopes: some streams whole, each event with its path to the root of its seal; or a run of seals with every event they
cover. The layout is ``docs/formats/evidence.md``; the verifier is copied into each export. That evidence was taken out, by
whom and of what, is an event itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from journal.anchors import anchor_path
from journal.domain.chain import EventDraft, StoredEvent, envelope, payload_bytes
from journal.domain.merkle import PLACE_BYTES, inclusion_path, packed_leaves
from journal.domain.seals import SignedSeal, key_chain, read_anchor_line
from journal.seal_key import load_key
from journal.selectors.events import placed_events_between, placed_events_of
from journal.selectors.seals import find_last_seal, find_seals_of, list_seal_keys, list_seals, pack_events
from journal.services._evidence_files import EvidenceFiles, key_line, plain, seal_line
from journal.services.append_to_stream import append_to_stream
from kernel.canonical import jsonable
from kernel.errors import Invalid, Unavailable
from kernel.ids import new_id

SLICE = 5_000


@dataclass(frozen=True, slots=True)
class EvidenceMade:
    """What was written."""

    directory: Path
    events: int
    seals: int
    signed: bool


def export_streams(
    *,
    directory: Path,
    streams: Sequence[str],
    scope: Mapping[str, Any],
    actor: str,
    at: datetime,
    build: str,
    whole: Sequence[str] = (),
    chosen: Collection[UUID] | None = None,
    extra: Mapping[str, bytes] | None = None,
    messages: Iterable[Mapping[str, Any]] = (),
    prices: Iterable[Mapping[str, Any]] = (),
    places: Sequence[str] | None = None,
) -> EvidenceMade:
    """The streams whole with proofs, the seals of their events, their anchor lines, raw messages, and the ticks decisions saw.

    ``whole`` are those whose first event must be here. ``chosen`` narrows to events by id: a stream of which something before
    its last event here is left out is named as partial, and each of its events is proven by itself. ``extra`` are more
    files, listed in the manifest like the rest. Raises FileExistsError when the directory is not empty.
    """
    files = EvidenceFiles(directory)
    events, partial = _chosen(placed_events_of(streams), chosen)
    seals = find_seals_of([position for position, _ in events])
    _write_events(files, events)
    files.write("seals.jsonl", map(seal_line, seals))
    files.write("proofs.jsonl", _proofs(seals, [position for position, _ in events]))
    files.write("messages.jsonl", map(plain, messages))
    files.write("prices.jsonl", map(plain, prices))
    _write_anchors(files, {seal.terms.number for seal in seals}, places)
    for name, body in (extra or {}).items():
        files.add(name, body)
    named = {**scope, "streams": sorted(streams), "whole_streams": sorted(set(whole) - partial)}
    if chosen is not None:
        named["partial_streams"] = sorted(partial)
    return _finish(files, named, actor=actor, at=at, build=build, events=len(events), seals=len(seals))


def _chosen(
    placed: list[tuple[int, StoredEvent]], chosen: Collection[UUID] | None
) -> tuple[list[tuple[int, StoredEvent]], set[str]]:
    """The events chosen, and the streams of which one that stands before a chosen one is left out."""
    if chosen is None:
        return placed, set()
    kept = [one for one in placed if one[1].draft.id in chosen]
    ends = {event.draft.stream: position for position, event in kept}
    partial = {
        event.draft.stream
        for position, event in placed
        if event.draft.id not in chosen and position < ends.get(event.draft.stream, 0)
    }
    return kept, partial


def export_evidence(
    *,
    directory: Path,
    actor: str,
    at: datetime,
    build: str,
    from_seal: int = 1,
    to_seal: int | None = None,
    places: Sequence[str] | None = None,
) -> EvidenceMade:
    """Every event the seals ``from_seal`` to ``to_seal`` (the last when None) cover, in slices.

    Raises Invalid SEAL_RANGE_UNKNOWN when there are no such seals.
    """
    last = find_last_seal()
    highest = last.terms.number if last else 0
    to_seal = highest if to_seal is None else to_seal
    if not 1 <= from_seal <= to_seal <= highest:
        sentence = f"Seals {from_seal} to {to_seal} are not there; the journal has seals 1 to {highest}."
        raise Invalid("SEAL_RANGE_UNKNOWN", sentence)
    files = EvidenceFiles(directory)
    first, end = list_seals(after=from_seal - 1, limit=1)[0], list_seals(after=to_seal - 1, limit=1)[0]
    count = _write_events(files, _events_between(first.terms.from_position - 1, end.terms.to_position))
    seals = files.write("seals.jsonl", map(seal_line, _seals_between(from_seal, to_seal)))
    _write_anchors(files, range(from_seal, to_seal + 1), places)
    scope = {"kind": "seals", "from_seal": from_seal, "to_seal": to_seal}
    return _finish(files, scope, actor=actor, at=at, build=build, events=count, seals=seals)


def _finish(
    files: EvidenceFiles, scope: Mapping[str, Any], *, actor: str, at: datetime, build: str, events: int, seals: int
) -> EvidenceMade:
    keys = list_seal_keys()
    files.write("keys.jsonl", map(key_line, keys))
    files.add_verifier()
    chain, last = key_chain(keys), find_last_seal()
    try:
        key = load_key(chain[-1].terms.key_id) if chain else None
    except Unavailable:
        key = None  # the verifier reports an unsigned manifest
    manifest = {
        "scope": dict(scope),
        "made_at": jsonable(at),
        "build": build,
        "sealed_to": last.terms.to_position if last else 0,
        "last_seal": last.terms.number if last else 0,
    }
    files.finish(manifest, key)
    append_to_stream(drafts=[_told(actor, at, {"scope": dict(scope), "events": events, "seals": seals})], at=at)
    return EvidenceMade(files.directory, events, seals, key is not None)


def _told(actor: str, at: datetime, payload: Mapping[str, Any]) -> EventDraft:
    event_id = new_id()
    return EventDraft(
        id=event_id,
        stream="journal:evidence",
        kind="EvidenceExported",
        actor=actor,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload=payload,
    )


def _seals_between(first: int, last: int) -> Iterator[SignedSeal]:
    after = first - 1
    while seals := list_seals(after=after, up_to=last):
        yield from seals
        after = seals[-1].terms.number


def _events_between(after: int, up_to: int) -> Iterator[tuple[int, StoredEvent]]:
    while events := placed_events_between(after, up_to, limit=SLICE):
        yield from events
        after = events[-1][0]


def _write_events(files: EvidenceFiles, events: Iterable[tuple[int, StoredEvent]]) -> int:
    """The envelope of each event exactly as it was hashed, and on the same line of the other file its place and hashes."""
    with files.lines("events.jsonl") as texts, files.lines("places.jsonl") as places:
        for position, event in events:
            payload = payload_bytes(event.draft.payload)
            texts.put(envelope(event.draft, seq=event.seq, recorded_at=event.recorded_at, payload_json=payload))
            place = {"position": position, "prev_hash": event.prev_hash.hex(), "hash": event.hash.hex()}
            places.put(plain(place))
    return texts.count


def _proofs(seals: Iterable[SignedSeal], positions: Sequence[int]) -> Iterator[bytes]:
    """The path of each position to the root of its seal, made from what stands in the journal now."""
    for seal in seals:
        terms = seal.terms
        run = pack_events(after=terms.from_position - 1, up_to=terms.to_position, limit=max(terms.count * 2, 1))
        leaves = packed_leaves(run.packed)
        present = [int.from_bytes(run.packed[at : at + 8], "big") for at in range(0, len(run.packed), PLACE_BYTES)]
        for position in positions:
            if terms.from_position <= position <= terms.to_position:
                index = bisect_left(present, position)
                path = [node.hex() for node in inclusion_path(leaves, index)]
                yield plain({"position": position, "seal": terms.number, "index": index, "path": path})


def _write_anchors(files: EvidenceFiles, numbers: Iterable[int], places: Sequence[str] | None) -> None:
    """The lines of the seals in each anchor file, byte for byte; a file that is gone has none, and the verifier says so."""
    wanted = numbers if isinstance(numbers, range) else set(numbers)
    last = find_last_seal()
    end = last.terms.number if last else 0
    for index, place in enumerate(settings.ANCHOR_DIRS if places is None else places, 1):
        path = anchor_path(str(place))
        files.write(f"anchors/{index}.jsonl", _anchor_lines(path, wanted, end) if path.is_file() else ())


def _anchor_lines(path: Path, wanted: range | set[int], end: int) -> Iterator[bytes]:
    """Those wanted, those behind the ``end`` of the journal, and whatever cannot be read."""
    with path.open("rb") as handle:
        for text in handle:
            line = read_anchor_line(text.rstrip(b"\n"))
            if line is None or line.number in wanted or line.number > end:
                yield text.rstrip(b"\n")
