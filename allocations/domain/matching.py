"""When two sides speak of the same trade, and whether they say the same of it. Two levels, pure.

*Pairing* finds which of our confirmations a record of the counterparty is about. A record that names one of our references is
about that one; any other is about the one whose account or block, instrument, side, trade date, settlement date, currency and
quantity are the same. Where several fit, price breaks the tie; where it does not, nothing is paired and the record says why: a
wrong pair would hide two faults. One record has one confirmation, one confirmation one record. The order in which records came
decides nothing.

*Matching* compares a pair field by field. Who traded what is exact; quantities, prices, money and the settlement date may differ by
what the manager allows (``Tolerance``): the larger of an amount and basis points of ours, newest version of the narrowest
scope. What a record does not say is not compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from kernel.numbers import ZERO, plain

EXACT = ("account", "isin", "side", "currency", "trade_date")
TOLERATED = ("qty", "avg_px", "gross", "commission", "fees", "net", "settlement_date")
WORDS = {
    "account": "account", "isin": "instrument", "side": "side", "currency": "currency", "trade_date": "trade date",
    "qty": "quantity", "avg_px": "average price", "gross": "gross amount", "commission": "commission", "fees": "fees",
    "net": "net amount", "settlement_date": "settlement date",
}  # fmt: skip
SIDES = {"1": "buy", "2": "sell", "5": "sell short", "6": "sell short exempt"}
UNSAID = "trade"
"""Not a field: that they said something of the trade, and it counts no more."""
ANY = "*"
_BASIS = Decimal(10_000)
_SIDES = {"5": "2", "6": "2"}  # a sale is a sale, however it was delivered


@dataclass(frozen=True, slots=True)
class Says:
    """What one side says of a trade; None and empty: nothing. Money without a sign; ``avg_px`` in the venue's price unit."""

    account: str = ""
    block_ref: str = ""
    isin: str = ""
    symbol: str = ""
    mic: str = ""
    side: str = ""
    currency: str = ""
    trade_date: date | None = None
    settlement_date: date | None = None
    qty: Decimal | None = None
    avg_px: Decimal | None = None
    gross: Decimal | None = None
    commission: Decimal | None = None
    fees: Decimal | None = None
    net: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Ours:
    """A confirmation of ours; ``refs`` are the names under which the counterparty may know it."""

    id: UUID
    name: str
    refs: frozenset[str]
    says: Says


@dataclass(frozen=True, slots=True)
class Theirs:
    """A record of the counterparty: ``ref`` is its name of it, ``names`` what it says that it is about."""

    id: UUID
    kind: str
    ref: str
    said_at: datetime
    says: Says
    names: tuple[str, ...] = ()
    ref_of: str = ""
    trans_type: str = "new"

    @property
    def rank(self) -> tuple[datetime, str]:
        """Of several under one name the last said counts."""
        return (self.said_at, str(self.id))


@dataclass(frozen=True, slots=True)
class Pairing:
    """Record to confirmation, and of the rest why not."""

    pairs: Mapping[UUID, UUID]
    unpaired: Mapping[UUID, str]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """By how much ``field`` may differ; empty scope is any. For a date ``amount`` is days."""

    counterparty: str
    field: str
    currency: str
    amount: Decimal
    bps: Decimal
    version: int
    auto_affirm: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One field on which the two sides differ by more than is allowed, as texts."""

    field: str
    ours: str
    theirs: str
    difference: str = ""
    allowed: str = ""

    def as_row(self) -> list[str]:
        """As it is kept."""
        return [self.field, self.ours, self.theirs, self.difference, self.allowed]


@dataclass(slots=True)
class _Found:
    pairs: dict[UUID, UUID] = field(default_factory=dict)
    unpaired: dict[UUID, str] = field(default_factory=dict)


def live(records: Iterable[Theirs]) -> list[Theirs]:
    """Those that still count: not replaced, not canceled, not a cancel, of one name the last said. By kind and name."""
    held = list(records)
    ended = {(one.kind, one.ref_of) for one in held if one.trans_type != "new" and one.ref_of != one.ref}
    canceled = {(one.kind, one.ref_of): one.said_at for one in held if one.trans_type == "cancel"}
    last: dict[tuple[str, str, str], Theirs] = {}
    for one in held:
        key = (one.kind, one.ref)
        if one.trans_type == "cancel" or key in ended or canceled.get(key, one.said_at) > one.said_at:
            continue
        slot = (*key, one.says.account)
        if slot not in last or last[slot].rank < one.rank:
            last[slot] = one
    return sorted(last.values(), key=lambda one: (one.kind, one.ref, one.rank))


def pair(ours: Sequence[Ours], theirs: Sequence[Theirs], *, ended: Collection[str] = ()) -> Pairing:
    """Which of the live records of one kind is about which confirmation.

    ``ended``: references of ours that are canceled. A record that names one is about nothing that stands, however alike.
    """
    found = _Found()
    by_ref = {ref: one for one in ours for ref in one.refs}
    claims: dict[UUID, list[Theirs]] = defaultdict(list)
    free: list[Theirs] = []
    for record in theirs:
        named = {by_ref[name].id for name in record.names if name in by_ref}
        if len(named) == 1:
            claims[named.pop()].append(record)
        elif named:
            found.unpaired[record.id] = "It names several confirmations of ours."
        elif gone := [name for name in record.names if name in ended]:
            found.unpaired[record.id] = f"It names {gone[0]}, which is canceled."
        else:
            free.append(record)
    for ours_id, claimants in claims.items():
        _settle_claim(ours_id, claimants, found)
    taken = set(claims)
    _by_economics([one for one in ours if one.id not in taken], free, found)
    return Pairing(found.pairs, found.unpaired)


def _settle_claim(ours_id: UUID, claimants: Sequence[Theirs], found: _Found) -> None:
    if len(claimants) == 1:
        found.pairs[claimants[0].id] = ours_id
        return
    refs = ", ".join(sorted(one.ref for one in claimants))
    for one in claimants:
        found.unpaired[one.id] = f"{len(claimants)} records name the same confirmation: {refs}."


def _by_economics(ours: Sequence[Ours], theirs: Sequence[Theirs], found: _Found) -> None:
    grouped: dict[tuple[object, ...], list[Ours]] = defaultdict(list)
    for one in ours:
        grouped[_key(one.says)].append(one)
    candidates = {
        record.id: [one for one in grouped[_key(record.says)] if _fits(one.says, record.says)] for record in theirs
    }
    waiting = {record.id: record for record in theirs}
    while True:
        chosen = {record_id: _nearest(record, candidates[record_id]) for record_id, record in waiting.items()}
        wanted: dict[UUID, list[UUID]] = defaultdict(list)
        for record_id, nearest in chosen.items():
            if len(nearest) == 1:
                wanted[nearest[0].id].append(record_id)
        agreed = {
            waiting_for[0]: ours_id
            for ours_id, waiting_for in wanted.items()
            if len(waiting_for) == 1 and _is_nearest_of(ours_id, waiting_for[0], waiting, candidates)
        }
        if not agreed:
            break
        found.pairs.update(agreed)
        gone = set(agreed.values())
        waiting = {record_id: record for record_id, record in waiting.items() if record_id not in agreed}
        candidates = {record_id: [one for one in candidates[record_id] if one.id not in gone] for record_id in waiting}
    for record_id in waiting:
        found.unpaired[record_id] = _why_not(waiting[record_id], candidates[record_id])


def _key(says: Says) -> tuple[object, ...]:
    return (_SIDES.get(says.side, says.side), says.currency, says.trade_date, says.qty)


def _fits(ours: Says, theirs: Says) -> bool:
    if theirs.account and ours.account != theirs.account:
        return False
    if not theirs.account and (not theirs.block_ref or ours.block_ref != theirs.block_ref):
        return False
    if theirs.settlement_date is not None and ours.settlement_date != theirs.settlement_date:
        return False
    if theirs.isin and ours.isin:
        return ours.isin == theirs.isin
    return bool(theirs.symbol) and ours.symbol == theirs.symbol and (not theirs.mic or ours.mic == theirs.mic)


def _distance(ours: Says, theirs: Says) -> Decimal:
    return abs(ours.avg_px - theirs.avg_px) if ours.avg_px is not None and theirs.avg_px is not None else ZERO


def _nearest(record: Theirs, candidates: Sequence[Ours]) -> list[Ours]:
    """The candidates whose price is nearest to the record's: more than one are a tie."""
    if not candidates:
        return []
    least = min(_distance(one.says, record.says) for one in candidates)
    return [one for one in candidates if _distance(one.says, record.says) == least]


def _is_nearest_of(
    ours_id: UUID, record_id: UUID, waiting: Mapping[UUID, Theirs], candidates: Mapping[UUID, Sequence[Ours]]
) -> bool:
    """Whether no other record that fits this confirmation has a price as near."""
    mine = next(one for one in candidates[record_id] if one.id == ours_id)
    reach = _distance(mine.says, waiting[record_id].says)
    return all(
        _distance(mine.says, record.says) > reach
        for other, record in waiting.items()
        if other != record_id and any(one.id == ours_id for one in candidates[other])
    )


def _why_not(record: Theirs, candidates: Sequence[Ours]) -> str:
    if not candidates:
        return "No open confirmation of ours has its account or block, instrument, side, dates, currency and quantity."
    names = sorted(one.name for one in candidates)
    if len(names) == 1:
        return f"Another record fits {names[0]} as well."
    return f"{len(names)} confirmations fit equally: {', '.join(names[:5])}{' …' if len(names) > 5 else ''}."


def in_force(tolerances: Iterable[Tolerance], name: str, *, counterparty: str, currency: str) -> Tolerance | None:
    """The newest version of the narrowest scope: this counterparty before any, this currency before any."""
    fitting = [
        rule
        for rule in tolerances
        if rule.field == name and rule.counterparty in ("", counterparty) and rule.currency in ("", currency)
    ]
    return max(fitting, key=lambda rule: (rule.counterparty != "", rule.currency != "", rule.version), default=None)


def affirms_itself(tolerances: Iterable[Tolerance], *, counterparty: str, currency: str) -> bool:
    """Whether a match with this counterparty needs nobody."""
    rule = in_force(tolerances, ANY, counterparty=counterparty, currency=currency)
    return rule is not None and rule.auto_affirm


def compare(ours: Says, theirs: Says, tolerances: Sequence[Tolerance], *, counterparty: str) -> tuple[Difference, ...]:
    """Every field on which they differ by more than is allowed; none: they match."""
    found = [one for name in EXACT if (one := _exact(name, ours, theirs)) is not None]
    for name in TOLERATED:
        one = _tolerated(name, ours, theirs, tolerances, counterparty)
        if one is not None:
            found.append(one)
    return tuple(found)


def _exact(name: str, ours: Says, theirs: Says) -> Difference | None:
    mine, other = getattr(ours, name), getattr(theirs, name)
    if name == "side":
        mine, other = _SIDES.get(mine, mine), _SIDES.get(other, other)
    if other in (None, "") or (name == "isin" and not mine) or mine == other:
        return None
    return Difference(name, str(mine), str(other))


def _tolerated(
    name: str, ours: Says, theirs: Says, tolerances: Sequence[Tolerance], counterparty: str
) -> Difference | None:
    mine, other = getattr(ours, name), getattr(theirs, name)
    if other is None or mine is None:
        return None
    is_date = isinstance(mine, date)
    away = Decimal(abs((other - mine).days)) if is_date else abs(other - mine)
    rule = in_force(tolerances, name, counterparty=counterparty, currency=ours.currency)
    may = max(rule.amount, ZERO if is_date else abs(mine) * rule.bps / _BASIS) if rule is not None else ZERO
    if away <= may:
        return None
    texts = (mine.isoformat(), other.isoformat()) if is_date else (plain(mine), plain(other))
    return Difference(name, texts[0], texts[1], plain(away), plain(may))


def sentence_of(differences: Sequence[Difference], *, currency: str) -> str:
    """What differs, as one tells it."""
    return " ".join(_told(one, currency) for one in differences)


def _told(one: Difference, currency: str) -> str:
    name = WORDS.get(one.field, one.field)
    if one.field == UNSAID:
        return f"It is no longer confirmed: {one.theirs}."
    if one.field == "side":
        return f"The side is {SIDES.get(one.ours, one.ours)} for us and {SIDES.get(one.theirs, one.theirs)} for them."
    if not one.difference:
        return f"The {name} is {one.ours} for us and {one.theirs} for them."
    unit = {"qty": " units", "avg_px": "", "settlement_date": " days"}.get(one.field, f" {currency}")
    differs = "differ" if one.field == "fees" else "differs"
    return (
        f"The {name} {differs} by {one.difference}{unit}: ours {one.ours}, theirs {one.theirs}, allowed {one.allowed}."
    )
