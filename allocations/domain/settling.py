"""Where a settlement instruction stands: a fold of what custodians said of it, in the order in which it took effect. Pure.

Statuses are facts and come in any order, more than once: the same set of them gives the same state, sums and contradictions,
whatever the order of arrival. What changed hands counts whatever else was said; it never counts beyond what was instructed, in
another currency, or after we had withdrawn the instruction: that is a contradiction, kept and shown, and a person looks.

Invariants: 0 <= settled_qty <= qty; ``settled`` if and only if settled_qty = qty; settled_qty and settled_amount are the sums of
``parts``. Once its day has passed (``failing``) what is not settled is failed, and only settling ends that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from allocations.domain import transitions as moves
from kernel.numbers import ZERO, plain, round_money

ACCEPTED = "accepted"
RANKS = {
    ACCEPTED: 0,
    moves.MATCHED: 1,
    moves.PENDING: 2,
    moves.PARTIAL: 3,
    moves.SETTLED: 4,
    moves.FAILED: 5,
    moves.REJECTED: 6,
    moves.CANCELED: 7,
}
"""Every word a custodian may say, and which comes first where two took effect at the same moment."""
UNITS = frozenset({moves.PARTIAL, moves.SETTLED})


class Contradicts(StrEnum):
    """Why a status cannot be true together with what else is known."""

    TOO_MUCH = "TOO_MUCH"
    AFTER_CANCEL = "AFTER_CANCEL"
    OTHER_CURRENCY = "OTHER_CURRENCY"
    QTY_MISSING = "QTY_MISSING"
    OTHER_SHARES = "OTHER_SHARES"
    AFTER_SETTLED = "AFTER_SETTLED"
    NOT_ASKED = "NOT_ASKED"


@dataclass(frozen=True, slots=True)
class Closed:
    """It was closed at a moment because its open units are instructed in other shares (``domain.transforming``).

    Afterwards only what changed hands before ``since`` counts, up to ``most`` units in all.
    """

    at: datetime
    since: datetime
    most: Decimal


@dataclass(frozen=True, slots=True)
class Asked:
    """What the instruction asks. ``sent``: it has left; ``canceled``: we have withdrawn it; ``failing``: its day has passed;
    ``transformed``: it ended because another takes its place in other shares."""

    qty: Decimal
    amount: Decimal
    currency: str
    sent: bool = True
    canceled: bool = False
    failing: bool = False
    transformed: Closed | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One status. ``qty`` and ``amount`` are of this status alone, not running sums; None where it does not say.

    ``by_old_ref``: it was said of the reference that the instruction takes the place of, so the custodian transformed that itself.
    """

    id: UUID
    status: str
    effective_at: datetime
    their_ref: str = ""
    qty: Decimal | None = None
    amount: Decimal | None = None
    currency: str = ""
    reason_code: str = ""
    reason: str = ""
    received_at: datetime | None = None
    by_old_ref: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Units and money that changed hands by one status."""

    status_id: UUID
    qty: Decimal
    amount: Decimal
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A status that is not counted, and the exact difference it would have made."""

    status_id: UUID
    code: Contradicts
    sentence: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What all of it comes to."""

    state: str
    parts: tuple[Part, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    reason_code: str = ""
    reason: str = ""
    matched_at: datetime | None = None
    settled_at: datetime | None = None

    @property
    def settled_qty(self) -> Decimal:
        return sum((part.qty for part in self.parts), ZERO)

    @property
    def settled_amount(self) -> Decimal:
        return sum((part.amount for part in self.parts), ZERO)


@dataclass(slots=True)
class _Fold:
    asked: Asked
    state: str
    parts: dict[UUID, Part] = field(default_factory=dict)
    against: list[Contradiction] = field(default_factory=list)
    had: Decimal = ZERO
    reason: tuple[str, str] = ("", "")
    matched_at: datetime | None = None
    settled_at: datetime | None = None

    def refuse(self, said: Said, code: Contradicts, sentence: str) -> None:
        self.against.append(Contradiction(said.id, code, sentence))


def stand(asked: Asked, statuses: Iterable[Said]) -> Standing:
    """Fold all statuses of one instruction."""
    begin = moves.CANCELED if asked.canceled or asked.transformed else moves.INSTRUCTED if asked.sent else moves.WAITING
    fold = _Fold(asked, begin)
    once = _once(statuses)
    _count(fold, once)
    for said in sorted(once, key=lambda s: (s.effective_at, RANKS[s.status], s.id)):
        _take(fold, said)
    if asked.failing and fold.state in (moves.INSTRUCTED, moves.MATCHED, moves.PENDING, moves.PARTIAL):
        fold.state = moves.FAILED
    settled = fold.state == moves.SETTLED
    return Standing(
        fold.state,
        tuple(sorted(fold.parts.values(), key=lambda part: (part.effective_at, part.status_id))),
        tuple(fold.against),
        "" if settled else fold.reason[0],
        "" if settled else fold.reason[1],
        fold.matched_at,
        fold.settled_at,
    )


def _once(statuses: Iterable[Said]) -> list[Said]:
    """As they arrived (ids sort by arrival); what was said twice is there once."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    for said in sorted(statuses, key=lambda s: s.id):
        # Of units the custodian's own reference tells one record from another; its time may be that of its arrival.
        when = None if said.status in UNITS and said.their_ref else said.effective_at
        key = (said.status, when, said.their_ref, said.qty, said.amount, said.reason_code)
        if key not in seen:
            seen.add(key)
            kept.append(said)
    return kept


def _count(fold: _Fold, statuses: Sequence[Said]) -> None:
    """Which statuses move units. Where they do not add up those that came first count: what was booked stays booked.

    A ``settled`` that does not say how much means all that no other status names.
    """
    moving = [said for said in statuses if said.status in UNITS]
    closed = fold.asked.transformed
    left = fold.asked.qty if closed is None else closed.most
    most = left
    for said in [s for s in moving if s.qty is not None] + [s for s in moving if s.qty is None]:
        qty = _counted(fold, said, left)
        if qty is not None:
            before = list(fold.parts.values())
            had = most - left
            amount = said.amount if said.amount is not None else _share(fold.asked, before, had + qty)
            fold.parts[said.id] = Part(said.id, qty, amount, said.effective_at)
            left -= qty


def _counted(fold: _Fold, said: Said, left: Decimal) -> Decimal | None:
    """The units of a status, None where it is not counted."""
    asked = fold.asked
    qty = said.qty if said.qty is not None else left
    if asked.canceled:
        fold.refuse(
            said, Contradicts.AFTER_CANCEL, f"{_units(said.qty)} are said to have settled, and it was canceled."
        )
    elif asked.transformed and not _in_its_shares(said, asked.transformed):
        sentence = f"{_units(said.qty)} are said to have settled under a reference that was replaced in other shares."
        fold.refuse(said, Contradicts.OTHER_SHARES, sentence)
    elif not asked.sent and not said.by_old_ref:
        fold.refuse(said, Contradicts.NOT_ASKED, f"{_units(said.qty)} are said to have settled, and it was never sent.")
    elif said.currency and said.currency != asked.currency:
        fold.refuse(said, Contradicts.OTHER_CURRENCY, f"It settled in {said.currency}, not in {asked.currency}.")
    elif qty <= 0 and said.qty is None:
        fold.refuse(said, Contradicts.TOO_MUCH, "It is said to have settled again after all of it had.")
    elif qty <= 0 or (said.qty is None and said.status == moves.PARTIAL):
        fold.refuse(said, Contradicts.QTY_MISSING, "Some of it is said to have settled, and not how much.")
    elif qty > left:
        sentence = f"{_units(qty)} are said to have settled and {plain(left)} were left: {plain(qty - left)} too many."
        fold.refuse(said, Contradicts.TOO_MUCH, sentence)
    else:
        return qty
    return None


def _in_its_shares(said: Said, closed: Closed) -> bool:
    """Whether it was said before the instruction was closed, or happened while its shares were those of the market."""
    return said.effective_at < closed.since or (said.received_at is not None and said.received_at <= closed.at)


def _take(fold: _Fold, said: Said) -> None:
    """The next status in the order in which they took effect."""
    part = fold.parts.get(said.id)
    if part is not None:
        fold.had += part.qty
        fold.settled_at = said.effective_at
        some = moves.CANCELED if fold.asked.transformed else moves.PARTIAL
        fold.state = moves.SETTLED if fold.had == fold.asked.qty else some
    elif fold.asked.transformed or said.status in UNITS or fold.state == moves.CANCELED:
        return  # not counted, or it confirms our withdrawal
    elif fold.state == moves.SETTLED:
        if said.status in (moves.FAILED, moves.REJECTED, moves.CANCELED):
            fold.refuse(said, Contradicts.AFTER_SETTLED, f"It is called {said.status} after all of it had settled.")
    elif fold.state == moves.WAITING:
        fold.refuse(said, Contradicts.NOT_ASKED, f"It is called {said.status} and was never sent.")
    else:
        _move(fold, said)


def _move(fold: _Fold, said: Said) -> None:
    """A word that moves no units. Partly settled stays so until it settles or fails; rejected stays rejected."""
    state, status = fold.state, said.status
    if status == moves.MATCHED:
        fold.matched_at = fold.matched_at or said.effective_at
        if state in (moves.INSTRUCTED, moves.PENDING):
            fold.state = moves.MATCHED
        return
    if status == ACCEPTED or state == moves.REJECTED:
        return
    fold.reason = (said.reason_code, said.reason)
    if status in (moves.REJECTED, moves.CANCELED):
        if fold.had:
            fold.refuse(said, Contradicts.AFTER_SETTLED, f"It is called {status} after some of it had settled.")
        else:
            fold.state = moves.REJECTED
    elif status == moves.FAILED:
        fold.state = moves.FAILED
    elif status == moves.PENDING and state in (moves.INSTRUCTED, moves.MATCHED, moves.FAILED):
        fold.state = moves.PARTIAL if fold.had else moves.PENDING


def _share(asked: Asked, parts: Sequence[Part], qty: Decimal) -> Decimal:
    """The money that goes with so many units in all, less what was said before; to the minor unit, all of it with all."""
    before = sum((part.amount for part in parts), ZERO)
    whole = asked.amount if qty == asked.qty else round_money(asked.amount * qty / asked.qty, asked.currency)
    return max(whole - before, ZERO)


def _units(qty: Decimal | None) -> str:
    return "Units" if qty is None else f"{plain(qty)} units"


def money_difference(asked: Asked, standing: Standing) -> Decimal:
    """Of a settled instruction what was paid beyond what was instructed (signed); zero while some of it is open."""
    return standing.settled_amount - asked.amount if standing.state == moves.SETTLED else ZERO


@dataclass(frozen=True, slots=True)
class Change:
    """What a new fold books beyond an old one: parts to add, and parts that no longer count."""

    added: tuple[Part, ...]
    removed: tuple[Part, ...]
    new_contradictions: tuple[Contradiction, ...]


def change_of(before: Standing, after: Standing) -> Change:
    """The difference of two folds of one instruction."""
    had, has = set(before.parts), set(after.parts)
    known = {(item.status_id, item.code) for item in before.contradictions}
    return Change(
        tuple(part for part in after.parts if part not in had),
        tuple(part for part in before.parts if part not in has),
        tuple(item for item in after.contradictions if (item.status_id, item.code) not in known),
    )
