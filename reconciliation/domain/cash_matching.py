"""Cash of a bank against ours: entry by entry under the reference the bank gives back; balances are the control. Pure.

Our records are matters: what one execution, order of nobody, withdrawal or deposit moved in one currency on one value date. An
entry that names an order settles all its matters of the day together, and agrees only with their sum: the key is the order. So
does one that names several matters. Several entries that name one matter are its parts, where they are not more than it. An
entry without a reference of ours is nobody's; amounts alone match nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from kernel.numbers import ZERO, plain, spelt
from reconciliation.domain.findings import Category, Difference, Finding, number_difference
from reconciliation.domain.rules import Rules

NAMES = ("account", "currency", "our_ref", "entry_ref")
BALANCE_NAMES = ("account", "currency", "what")
MOST_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class OurCash:
    """One matter: ``refs`` are the names a bank may give it back by, ``group`` the order it can be
    netted with and ``groups`` all names of that.

    ``expected``: dated on the day. ``cost`` is the part of it that is charges (negative). ``value_date`` is when it is to settle.
    """

    key: str
    account_id: UUID
    account: str
    currency: str
    amount: Decimal
    value_date: date
    ref: str
    refs: frozenset[str]
    group: str = ""
    groups: frozenset[str] = frozenset()
    kind: str = ""
    cost: Decimal = ZERO
    expected: bool = True
    order_id: UUID | None = None
    execution_id: UUID | None = None
    at: datetime | None = None
    note: str = ""

    def raw(self) -> dict[str, Any]:
        """As a break shows it."""
        said = {
            "ref": self.ref, "order": self.group, "account": self.account, "currency": self.currency,
            "amount": plain(self.amount), "charges": plain(self.cost) if self.cost else "",
            "value_date": self.value_date.isoformat(), "kind": self.kind, "event_at": self.at.isoformat() if self.at else "",
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class TheirEntry:
    """One entry of a statement. ``words`` are all references in it that could be ours."""

    line: int
    account: str
    currency: str
    amount: Decimal
    entry_ref: str = ""
    our_ref: str = ""
    words: tuple[str, ...] = ()
    value_date: date | None = None
    account_id: UUID | None = None
    narrative: str = ""

    def raw(self) -> dict[str, Any]:
        """As a break shows it."""
        said = {
            "line": self.line, "entry_ref": self.entry_ref, "our_ref": self.our_ref, "account": self.account,
            "currency": self.currency, "amount": plain(self.amount),
            "value_date": self.value_date.isoformat() if self.value_date else "", "narrative": self.narrative,
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class TheirBalance:
    """What a statement says an account has at its end."""

    line: int
    account: str
    currency: str
    amount: Decimal
    account_id: UUID | None = None
    opening: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OurBalance:
    """``settled`` by our bookings of up to the day; ``due`` is what had to settle by then and is not confirmed. ``settled_later``
    and ``due_later`` is what of both was booked after the moment the file is of."""

    account_id: UUID
    account: str
    currency: str
    settled: Decimal
    due: Decimal = ZERO
    settled_later: Decimal = ZERO
    due_later: Decimal = ZERO

    def may_be_told_as(self, differing: Decimal) -> tuple[Decimal, ...]:
        """What a bank may say that agrees with it: with and without what is due, and as far as its entries explain; so now, and then."""
        settled_then = self.settled - self.settled_later
        both, both_then = self.settled + self.due, settled_then + self.due - self.due_later
        return (self.settled, both, both + differing, settled_then, both_then, both_then + differing)


@dataclass(slots=True)
class Judgement:
    """What was found; how many matters and balances of ours agree."""

    findings: list[Finding] = field(default_factory=list)
    matched: int = 0
    beyond: int = 0
    differ: defaultdict[tuple[UUID, str], Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))


def judge_cash(
    ours: Iterable[OurCash], entries: Iterable[TheirEntry], balances: Iterable[TheirBalance],
    books: Iterable[OurBalance], *, rules: Rules, with_entries: bool,
) -> Judgement:  # fmt: skip
    """Entries first, then balances: one that differs by just what the entries differ by is not told again.

    ``with_entries``: the file tells entries; without, our own are not missed in it.
    """
    judgement = Judgement()
    rows = sorted(entries, key=lambda row: row.line)
    matters = sorted(ours, key=lambda one: (one.account, one.currency, one.ref, one.key))
    left = _match(matters, rows, judgement, rules) if rows else matters
    if with_entries:
        for one in left:
            if one.expected and one.amount:
                judgement.findings.append(_missing_external(one))
                judgement.differ[one.account_id, one.currency] -= one.amount
    _balances(balances, books, judgement, rules, with_entries)
    return judgement


def _match(matters: Sequence[OurCash], rows: Sequence[TheirEntry], judgement: Judgement, rules: Rules) -> list[OurCash]:
    """Equal amounts under a reference first, then other amounts under it, then all of an order; the matters nobody named."""
    book = _Book(matters)
    loose = list(rows)
    loose = _each(book, book.equal, loose, judgement, rules)
    loose = _each(book, book.together, loose, judgement, rules)
    loose = _parts(book, loose, judgement, rules)
    for find in (book.named, book.netted):
        loose = _each(book, find, loose, judgement, rules)
    by_amount: defaultdict[tuple[UUID, str, Decimal], list[OurCash]] = defaultdict(list)
    for one in book.left():
        by_amount[one.account_id, one.currency, one.amount].append(one)
    copies: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for row in loose:
        if row.account_id is not None:
            judgement.differ[row.account_id, row.currency] += row.amount
        same = book.taken_as(row)
        name = (row.account, row.currency, row.our_ref, "" if same else row.entry_ref)
        copy = copies[name]
        copies[name] += 1
        if same is not None:
            judgement.findings.append(_twice(row, same, copy))
        else:
            key = (row.account_id, row.currency, row.amount)
            alike = by_amount.get(key, ())[:MOST_CANDIDATES] if row.account_id else ()  # type: ignore[arg-type]
            judgement.findings.append(_missing_internal(row, alike, book.taken_by(row), copy))
    return book.left()


def _each(
    book: _Book, find: Callable[[TheirEntry], list[OurCash]], rows: Sequence[TheirEntry], judgement: Judgement, rules: Rules
) -> list[TheirEntry]:  # fmt: skip
    """The entries for which nothing was found."""
    still = []
    for row in rows:
        found = find(row)
        if found:
            book.take(found, row)
            _pair([row], found, judgement, rules)
        else:
            still.append(row)
    return still


def _parts(book: _Book, rows: Sequence[TheirEntry], judgement: Judgement, rules: Rules) -> list[TheirEntry]:
    """What was paid in parts: several entries of one day that name the same matter alone, the same way as it, and not more than it."""
    by_matter: defaultdict[tuple[str, date], list[TheirEntry]] = defaultdict(list)
    matters: dict[str, OurCash] = {}
    for row in rows:
        found = book.named_by(row)
        if len(found) == 1 and (row.amount < 0) == (found[0].amount < 0):
            matters[found[0].key] = found[0]
            by_matter[found[0].key, row.value_date or found[0].value_date].append(row)
    taken: set[int] = set()
    for (key, _day), parts in by_matter.items():
        if len(parts) > 1 and key in matters and abs(_sum(parts)) <= abs(matters[key].amount):
            one = matters.pop(key)
            book.take([one], *parts)
            _pair(parts, [one], judgement, rules)
            taken |= {id(row) for row in parts}
    return [row for row in rows if id(row) not in taken]


def _sum(rows: Iterable[TheirEntry]) -> Decimal:
    return sum((row.amount for row in rows), ZERO)


class _Book:
    """Our matters by every name, and which of them an entry has taken."""

    def __init__(self, matters: Sequence[OurCash]) -> None:
        self._free = {one.key: one for one in matters}
        self._by_ref: defaultdict[tuple[UUID, str, str], list[OurCash]] = defaultdict(list)
        self._by_group: defaultdict[tuple[UUID, str, str], list[OurCash]] = defaultdict(list)
        self._spoken_of: dict[tuple[UUID, str, str], OurCash] = {}
        self._taken: defaultdict[tuple[UUID, str, str, Decimal], list[OurCash]] = defaultdict(list)
        for one in matters:
            for ref in one.refs:
                self._by_ref[one.account_id, one.currency, ref].append(one)
            for group in one.groups:
                self._by_group[one.account_id, one.currency, group].append(one)

    def _of(self, names: Mapping[tuple[UUID, str, str], list[OurCash]], row: TheirEntry) -> list[OurCash]:
        if row.account_id is None:
            return []
        found = [one for word in row.words for one in names.get((row.account_id, row.currency, word), ())]
        return [one for one in dict.fromkeys(found) if one.key in self._free]

    def equal(self, row: TheirEntry) -> list[OurCash]:
        """The matter under its reference that has its amount; of several the one valued on its day."""
        found = [one for one in self._of(self._by_ref, row) if one.amount == row.amount]
        return (
            [min(found, key=lambda one: (one.value_date != row.value_date, not one.expected, one.key))] if found else []
        )

    def together(self, row: TheirEntry) -> list[OurCash]:
        """All the matters it names, where it names several of one day and is their sum."""
        found = self.named_by(row)
        one_day = len({one.value_date for one in found}) == 1
        return found if len(found) > 1 and one_day and row.amount == sum((one.amount for one in found), ZERO) else []

    def named_by(self, row: TheirEntry) -> list[OurCash]:
        """Every matter under its reference."""
        return [one for one in self._of(self._by_ref, row) if one.amount]

    def named(self, row: TheirEntry) -> list[OurCash]:
        """The matter under its reference that is nearest in amount."""
        found = self.named_by(row)
        return [min(found, key=lambda one: (abs(one.amount - row.amount), one.key))] if found else []

    def netted(self, row: TheirEntry) -> list[OurCash]:
        """All matters of the order it names that settle on its day, or on the only day there is."""
        found = [one for one in self._of(self._by_group, row) if one.amount]
        of_day = [one for one in found if row.value_date in (None, one.value_date)]
        return of_day or (found if len({one.value_date for one in found}) == 1 else [])

    def take(self, found: Sequence[OurCash], *rows: TheirEntry) -> None:
        for one in found:
            del self._free[one.key]
            for row in rows:
                for word in row.words:
                    self._taken[one.account_id, one.currency, word, row.amount].append(one)
                    self._spoken_of[one.account_id, one.currency, word] = one

    def taken_as(self, row: TheirEntry) -> OurCash | None:
        """What another entry of the same reference and amount has taken already."""
        if row.account_id is None:
            return None
        names = [(row.account_id, row.currency, word, row.amount) for word in row.words]
        return next((self._taken[name][0] for name in names if self._taken.get(name)), None)

    def taken_by(self, row: TheirEntry) -> OurCash | None:
        """What another entry of the same reference has taken already, with another amount."""
        if row.account_id is None:
            return None
        names = ((row.account_id, row.currency, word) for word in row.words)
        return next((self._spoken_of[name] for name in names if name in self._spoken_of), None)

    def left(self) -> list[OurCash]:
        return list(self._free.values())


def _pair(rows: Sequence[TheirEntry], found: Sequence[OurCash], judgement: Judgement, rules: Rules) -> None:
    row, said = rows[0], _sum(rows)
    first, amount = found[0], sum((one.amount for one in found), ZERO)
    told = []
    if not rules.within("amount", amount, said, row.currency):
        cost = sum((one.cost for one in found), ZERO)
        category = Category.FEE if cost and said == amount - cost else Category.QUANTITY
        told.append((category, number_difference("amount", amount, said)))
        judgement.differ[first.account_id, first.currency] += said - amount
    if row.value_date is not None and row.value_date != first.value_date:
        difference = Difference("value_date", first.value_date.isoformat(), row.value_date.isoformat())
        told.append((Category.TIMING, difference))
    judgement.findings += [_of_pair(category, difference, rows, found) for category, difference in told]
    judgement.beyond += sum(not one.expected for one in found)
    if not told:
        judgement.matched += len(found)


_SUGGEST = {
    Category.QUANTITY: "Ask the bank for the advice of the entry; book nothing that nobody reported.",
    Category.FEE: "Compare with the fee schedule in force; within the limit a second person may write it off.",
    Category.TIMING: "If it is only a matter of value, accept it as timing until that day.",
}


def _of_pair(
    category: Category, difference: Difference, rows: Sequence[TheirEntry], found: Sequence[OurCash]
) -> Finding:
    row, first = rows[0], found[0]
    what = f"{first.kind or 'matter'} {row.our_ref or first.ref} of {first.account}"
    of = f" (all {len(found)} matters it names together)" if len(found) > 1 else ""
    if category is Category.TIMING:
        why = f"Both have {what}{of}; the bank values it {difference.theirs}, we expected {difference.ours}."
    else:
        ours, theirs, by = difference.spelt
        parts = f" in {len(rows)} entries" if len(rows) > 1 else ""
        why = f"The bank moved {theirs} {row.currency}{parts} for {what}{of}, "
        if category is Category.FEE:
            why += f"which is our {ours} without the charges we booked."
        else:
            why += f"our books say {ours}: {by} apart."
    exposure = abs(Decimal(difference.difference)) if difference.difference else abs(row.amount)
    found_so = _finding(category, first, row, why, _SUGGEST[category], (difference,), exposure)
    return replace(found_so, lines=tuple(one.line for one in rows)) if len(rows) > 1 else found_so


def _twice(row: TheirEntry, same: OurCash, copy: int) -> Finding:
    why = (
        f"The bank has a second entry of {spelt(row.amount)} {row.currency} under {row.our_ref or row.entry_ref} of "
        f"{same.account}; our books have the matter once."
    )
    return _finding(
        Category.DUPLICATE_SUSPECT, same, row, why, "Ask the bank to reverse it, or for what it paid twice.", (),
        abs(row.amount), copy,
    )  # fmt: skip


def _missing_internal(row: TheirEntry, alike: Sequence[OurCash], spoken_of: OurCash | None, copy: int) -> Finding:
    name = row.our_ref or row.entry_ref or f"line {row.line}"
    what = f"The bank has an entry of {spelt(row.amount)} {row.currency} on {row.account} under {name}"
    if row.account_id is None:
        why = f"{what}; no account of ours has that name."
    elif not row.our_ref:
        why = f"{what} that carries no reference of ours{f' ({row.narrative})' if row.narrative else ''}."
    elif spoken_of is not None:
        why = (
            f"{what}; our books have {spelt(spoken_of.amount)} under that reference, which another entry tells already."
        )
    else:
        why = f"{what}; nothing of ours in that account and currency has that reference."
    ids = {
        "account": row.account, "currency": row.currency, "our_ref": row.our_ref, "entry_ref": row.entry_ref,
        "line": "" if row.our_ref or row.entry_ref else str(row.line),
    }  # fmt: skip
    return Finding(
        category=Category.MISSING_INTERNAL,
        ids={name: value for name, value in ids.items() if value},
        names=(*NAMES, "line"),
        why=why,
        suggestion="Ask the bank what it is for; once it is known, a deposit or withdrawal is asked for with a second person.",
        theirs=row.raw(),
        lines=(row.line,),
        candidates=tuple({**one.raw(), "reason": "same account, currency and amount; no reference"} for one in alike),
        exposure=abs(row.amount),
        currency=row.currency,
        account_id=row.account_id,
        copy=copy,
    )


def _missing_external(one: OurCash) -> Finding:
    note = f" {one.note}" if one.note else ""
    return _finding(
        Category.MISSING_EXTERNAL,
        one,
        None,
        f"Our books move {spelt(one.amount)} {one.currency} on {one.account} for {one.kind or 'matter'} {one.ref}, value "
        f"{one.value_date}; the statement has no entry for it.{note}",
        "Ask the bank; a settlement that is late is accepted as timing until the day it must have come.",
        (),
        abs(one.amount),
    )


def _finding(
    category: Category, one: OurCash, row: TheirEntry | None, why: str, suggestion: str,
    differences: tuple[Difference, ...], exposure: Decimal, copy: int = 0,
) -> Finding:  # fmt: skip
    ids = {"account": one.account, "currency": one.currency, "our_ref": one.ref, "order": one.group}
    if row is not None:
        ids |= {"our_ref": row.our_ref or one.ref, "entry_ref": row.entry_ref}
    return Finding(
        category=category,
        ids={name: value for name, value in ids.items() if value},
        names=("account", "currency", "our_ref"),
        why=why,
        suggestion=suggestion,
        differences=differences,
        ours=one.raw(),
        theirs=row.raw() if row else {},
        lines=(row.line,) if row else (),
        exposure=exposure,
        currency=one.currency,
        account_id=one.account_id,
        order_id=one.order_id,
        execution_id=one.execution_id,
        event_at=one.at,
        copy=copy,
    )


def _balances(
    balances: Iterable[TheirBalance],
    books: Iterable[OurBalance],
    judgement: Judgement,
    rules: Rules,
    with_entries: bool,
) -> None:
    ours = {(one.account_id, one.currency): one for one in books}
    seen: dict[tuple[UUID, str], TheirBalance] = {}
    for row in sorted(balances, key=lambda row: row.line):
        if row.account_id is None:
            judgement.findings.append(
                _balance(Category.MISSING_INTERNAL, row, None, "no account of ours has that name")
            )
            continue
        key = (row.account_id, row.currency)
        if key in seen:
            judgement.findings.append(
                _balance(Category.DUPLICATE_SUSPECT, row, ours.get(key), "the file tells it twice")
            )
            continue
        seen[key] = row
        book = ours.get(key)
        differing = judgement.differ.get(key, ZERO)
        told_as = book.may_be_told_as(differing) if book else (ZERO, differing)
        if any(rules.within("amount", mine, row.amount, row.currency) for mine in told_as):
            judgement.matched += bool(book and (book.settled or book.due))
        elif book is None:
            judgement.findings.append(_balance(Category.MISSING_INTERNAL, row, None, "our books have no such balance"))
        else:
            judgement.findings.append(
                _balance(Category.QUANTITY, row, book, _apart(row, book, judgement, with_entries))
            )
    for key, book in sorted(ours.items(), key=lambda item: (item[1].account, item[1].currency)):
        if key not in seen and book.settled not in (ZERO, book.settled_later) and not with_entries:
            judgement.findings.append(_balance(Category.MISSING_EXTERNAL, None, book, "the file does not tell it"))


def _apart(row: TheirBalance, book: OurBalance, judgement: Judgement, with_entries: bool) -> str:
    differ = judgement.differ.get((book.account_id, book.currency), ZERO)
    said = f"{spelt(row.amount)} with them, {spelt(book.settled)} settled"
    said += f" and {spelt(book.due)} due" if book.due else ""
    said += " with us"
    if with_entries and differ:
        said += f"; the entries that differ explain {spelt(differ)} of it"
    elif with_entries and row.opening is not None:
        said += "; the entries of the day agree, so it was apart before the day began"
    return said


def _balance(category: Category, row: TheirBalance | None, book: OurBalance | None, said: str) -> Finding:
    account = book.account if book else row.account if row else ""
    currency = book.currency if book else row.currency if row else ""
    mine, theirs = book.settled if book else ZERO, row.amount if row else ZERO
    raw = (
        {"line": row.line, "account": row.account, "currency": row.currency, "amount": plain(row.amount)} if row else {}
    )
    if row is not None and row.opening is not None:
        raw["opening"] = plain(row.opening)
    return Finding(
        category=category,
        ids={"account": account, "currency": currency, "what": "balance"},
        names=BALANCE_NAMES,
        why=f"The balance of {account} in {currency} does not agree: {said}.",
        suggestion="Find the entry that explains it; a balance is never booked, only what moved it.",
        differences=(number_difference("balance", mine, theirs),),
        ours={"settled": plain(book.settled), "due": plain(book.due), "account": account, "currency": currency}
        if book
        else {},
        theirs=raw,
        lines=(row.line,) if row else (),
        exposure=abs(theirs - mine),
        currency=currency,
        account_id=book.account_id if book else row.account_id if row else None,
    )
