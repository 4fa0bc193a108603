"""Recompute every seal from the journal and compare it with its signature, its chain and each anchor file.

Set-based and in slices: memory is bounded by one slice of some ten thousand events, whatever the journal holds. It only
reads, on the caller's connection and in the caller's snapshot when there is one. What it cannot see: a payload edited
without its hash (the chain of the stream says that), and events that no seal covers yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from journal.anchors import anchor_path, read_lines
from journal.domain.seal_check import AnchorWalk, SealFinding, SealWalk, check_keys
from journal.domain.seals import SignedKey, SignedSeal, key_chain
from journal.selectors.seals import (
    count_unsealed,
    find_anchored,
    find_last_seal,
    list_seal_keys,
    list_sealed_runs,
    list_seals,
)

EVENTS_PER_SLICE = 50_000
SEALS_PER_SLICE = 500


@dataclass(frozen=True, slots=True)
class SealCheck:
    """``found`` counts every finding, ``findings`` keeps the first of them. ``unsealed``: events no seal covers yet.

    ``anchored`` is the last seal read from the anchor file of each directory.
    """

    found: int
    findings: tuple[SealFinding, ...]
    seals: int
    events: int
    sealed_to: int
    unsealed: int
    anchored: dict[str, int]

    @property
    def holds(self) -> bool:
        return self.found == 0


def check_seals(
    *,
    at: datetime,
    places: Sequence[str] | None = None,
    after: int = 0,
    most: int = 100,
    events_per_slice: int = EVENTS_PER_SLICE,
) -> SealCheck:
    """Check the seals behind number ``after`` (all when 0) against events, keys and anchors.

    ``places`` are the anchor directories, those of the settings when None. A seal younger than a minute need not be
    anchored yet, nor need an anchor that young be of a seal the caller's snapshot sees. At most ``most`` findings are kept.
    """
    keys, last = list_seal_keys(), find_last_seal()
    before = list_seals(after=after - 1, up_to=after) if after else []
    public_keys = {key.terms.key_id: key.terms.public_key for key in key_chain(keys)}
    walk = SealWalk(public_keys, before[0] if before else None)
    anchors = [_anchor_walk(str(place), at) for place in (settings.ANCHOR_DIRS if places is None else places)]
    found = 0
    kept: list[SealFinding] = []
    for finding in _findings(keys, walk, anchors, after, events_per_slice):
        found += 1
        if len(kept) < most:
            kept.append(finding)
    sealed_to = last.terms.to_position if last else 0
    return SealCheck(
        found=found,
        findings=tuple(kept),
        seals=walk.seals,
        events=walk.events,
        sealed_to=sealed_to,
        unsealed=count_unsealed(sealed_to),
        anchored={anchor.place: anchor.number for anchor in anchors},
    )


def _findings(
    keys: Sequence[SignedKey], walk: SealWalk, anchors: Sequence[AnchorWalk], after: int, events_per_slice: int
) -> Iterator[SealFinding]:
    yield from check_keys(keys)
    for anchor in anchors:
        yield from anchor.skip_to(after)
    for low, high in _slices(after, events_per_slice):
        for seal, count, packed in list_sealed_runs(after=low, up_to=high):
            yield from walk.take(seal, found=count, packed=packed)
            for anchor in anchors:
                yield from anchor.take(seal)
    for anchor in anchors:
        yield from anchor.end()


def _slices(after: int, events: int) -> Iterator[tuple[int, int]]:
    """Ranges of seal numbers ``(low, high]`` that hold about ``events`` events each, by what the seals say."""
    low = after
    while seals := list_seals(after=low, limit=SEALS_PER_SLICE):
        high = _enough(seals, events)
        yield low, high
        low = high


def _enough(seals: Sequence[SignedSeal], events: int) -> int:
    total = 0
    for seal in seals:
        total += seal.terms.count
        if total >= events:
            return seal.terms.number
    return seals[-1].terms.number


def _anchor_walk(place: str, at: datetime) -> AnchorWalk:
    """The walk over a place's file; a missing file is an empty one, and then every seal is missing in it."""
    path = anchor_path(place)
    return AnchorWalk(place, read_lines(path) if path.exists() else iter(()), find_anchored(place), at)
