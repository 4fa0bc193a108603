"""Are the seals whole, do they still cover what stands in the journal, and do the anchors say the same? Pure.

Seals are walked in the order of their numbers, each with the events now found in its range; beside them walks each anchor
file. Every difference is a finding with a code, so that a test, a check and a person name it alike.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from journal.domain.merkle import PLACE_BYTES, packed_leaves, tree_root
from journal.domain.seals import NO_SEAL, AnchorLine, SignedKey, SignedSeal, is_signed, key_chain

ANCHOR_GRACE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class SealFinding:
    """One thing that is not as it was sealed. ``number`` is the seal it is about, 0 when it is about none."""

    code: str
    sentence: str
    number: int = 0
    place: str = ""


def check_keys(keys: Sequence[SignedKey]) -> Iterator[SealFinding]:
    """Every key is on the chain and introduced by its predecessor's signature."""
    chain = key_chain(keys)
    on_chain = {key.terms.key_id for key in chain}
    for key in keys:
        if key.terms.key_id not in on_chain:
            yield SealFinding("KEY_UNKNOWN", f"Key {key.terms.key_id} was introduced by no key before it.")
    for before, key in zip(chain[:1] + chain, chain, strict=False):
        if not is_signed(key.terms.text(), key.signature, before.terms.public_key):
            sentence = f"The introduction of key {key.terms.key_id} is not signed by {before.terms.key_id}."
            yield SealFinding("KEY_SIGNATURE_WRONG", sentence)


@dataclass(slots=True)
class SealWalk:
    """Takes the seals in order. ``public_keys`` are those on the chain, by id; ``after`` is the seal walked before."""

    public_keys: dict[str, bytes]
    after: SignedSeal | None = None
    seals: int = 0
    events: int = 0

    def take(self, seal: SignedSeal, *, found: int, packed: bytes) -> Iterator[SealFinding]:
        """Findings about one seal and the ``found`` events, packed, that stand in its range."""
        yield from self._linked(seal)
        yield from self._signed(seal)
        yield from _covers(seal, found, packed)
        self.after = seal
        self.seals += 1
        self.events += found

    def _linked(self, seal: SignedSeal) -> Iterator[SealFinding]:
        terms, before = seal.terms, self.after.terms if self.after else None
        number, position, link = (before.number, before.to_position, before.hash()) if before else (0, 0, NO_SEAL)
        if terms.number != number + 1:
            missing = f"{number + 1}" if terms.number == number + 2 else f"{number + 1} to {terms.number - 1}"
            yield SealFinding("SEAL_MISSING", f"Seal {missing} is missing before seal {terms.number}.", terms.number)
            return
        if terms.previous != link:
            sentence = f"Seal {terms.number} names another seal before it than seal {number}."
            yield SealFinding("SEAL_LINK_BROKEN", sentence, terms.number)
        if terms.from_position != position + 1:
            sentence = f"Seal {terms.number} begins at {terms.from_position}, seal {number} ends at {position}."
            yield SealFinding("SEAL_RANGE_BROKEN", sentence, terms.number)

    def _signed(self, seal: SignedSeal) -> Iterator[SealFinding]:
        terms = seal.terms
        public_key = self.public_keys.get(terms.key_id)
        if public_key is None:
            sentence = f"Seal {terms.number} is signed by key {terms.key_id}, which nobody we trust introduced."
            yield SealFinding("SEAL_KEY_UNKNOWN", sentence, terms.number)
        elif not is_signed(terms.text(), seal.signature, public_key):
            sentence = f"The signature of seal {terms.number} does not fit what it says and key {terms.key_id}."
            yield SealFinding("SEAL_SIGNATURE_WRONG", sentence, terms.number)


def _covers(seal: SignedSeal, found: int, packed: bytes) -> Iterator[SealFinding]:
    terms = seal.terms
    where = f"positions {terms.from_position} to {terms.to_position}"
    if found != terms.count:
        code = "SEALED_EVENTS_MISSING" if found < terms.count else "SEALED_EVENTS_ADDED"
        sentence = f"Seal {terms.number} covers {terms.count} events in {where}; {found} stand there now."
        yield SealFinding(code, sentence, terms.number)
    elif len(packed) != found * PLACE_BYTES or tree_root(packed_leaves(packed)) != terms.root:
        sentence = f"Events in {where} are not those that seal {terms.number} covers."
        yield SealFinding("SEALED_EVENTS_CHANGED", sentence, terms.number)


@dataclass(slots=True)
class AnchorWalk:
    """Walks one anchor file beside the seals. ``anchored``: the last seal known to have been flushed into it; ``number``:
    the last one read from it."""

    place: str
    lines: Iterator[AnchorLine | None]
    anchored: int
    at: datetime
    read: int = 0
    missing: list[int] = field(default_factory=list)
    number: int = 0
    _next: AnchorLine | None = None
    _hash: bytes = NO_SEAL
    _ended: bool = False

    def take(self, seal: SignedSeal) -> Iterator[SealFinding]:
        """Findings up to and about the line of one seal."""
        number = seal.terms.number
        while (line := (yield from self._peek())) is not None and line.number < number:
            self._next = None  # a line of a seal the journal has not, or out of order: said when it was read
            yield self._finding(
                "ANCHOR_UNKNOWN_SEAL", f"holds seal {line.number}, which the journal has not", line.number
            )
        if line is None or line.number > number:
            late = number <= self.anchored or self.at - seal.terms.sealed_at > ANCHOR_GRACE
            if line is not None or late:
                self.missing.append(number)
            return
        self._next = None
        if line.seal_text != seal.terms.text() or line.signature != seal.signature:
            yield self._finding("ANCHOR_DIFFERS", f"says something else of seal {number} than the journal", number)

    def end(self) -> Iterator[SealFinding]:
        """What is left when the seals are at their end. A young line may be of a seal that our snapshot does not see yet."""
        while (line := (yield from self._peek())) is not None:
            self._next = None
            if self.at - line.sealed_at <= ANCHOR_GRACE:
                continue
            text = f"holds seal {line.number}, behind the last seal of the journal"
            yield self._finding("ANCHOR_AHEAD", text, line.number)
        for first, last in _runs(self.missing):
            which = f"seal {first}" if first == last else f"seals {first} to {last}"
            yield self._finding("ANCHOR_MISSING", f"has no line for {which}", first)

    def skip_to(self, number: int) -> Iterator[SealFinding]:
        """Read past the lines up to and with seal ``number``, looking at nothing but their chain."""
        while (line := (yield from self._peek())) is not None and line.number <= number:
            self._next = None

    def _peek(self) -> Generator[SealFinding, None, AnchorLine | None]:
        """The next line, None at the end; its own findings are yielded."""
        while self._next is None and not self._ended:
            try:
                line = next(self.lines)
            except StopIteration:
                self._ended = True
                break
            self.read += 1
            if line is None:
                yield self._finding("ANCHOR_UNREADABLE", f"has a line {self.read} that is no anchor")
                continue
            if line.chain != self._hash:
                text = f"has a line for seal {line.number} that does not follow the line before it"
                yield self._finding("ANCHOR_CHAIN_BROKEN", text, line.number)
            if line.number <= self.number:
                text = f"has seal {line.number} behind seal {self.number}"
                yield self._finding("ANCHOR_OUT_OF_ORDER", text, line.number)
                self._hash = line.hash
                continue
            self.number, self._hash, self._next = line.number, line.hash, line
        return self._next

    def _finding(self, code: str, text: str, number: int = 0) -> SealFinding:
        return SealFinding(code, f"The anchor file of {self.place} {text}.", number, self.place)


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Runs of neighbouring numbers as (first, last)."""
    start = 0
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] != numbers[place - 1] + 1:
            yield numbers[start], numbers[place - 1]
            start = place
