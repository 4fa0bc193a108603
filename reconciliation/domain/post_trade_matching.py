"""What a counterparty or custodian says of allocated trades and their settlement, against ours. Pure.

A record pairs by our own name where it gives one back; else within account, instrument, side and trade date: equal quantity first, the
nearest price as tie-breaker, and what is left over one to one. A record never pairs twice, and records of other keys never.
A pair may differ in several ways, each its own break.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from kernel.numbers import ZERO, plain, spelt
from reconciliation.domain.findings import Category, Difference, Finding, number_difference
from reconciliation.domain.rules import Rules

NAMES = ("ref", "account", "isin", "side", "trade_date")
FIELDS: dict[Category, tuple[str, ...]] = {
    Category.QUANTITY: ("qty", "settled_qty"),
    Category.PRICE: ("avg_px", "gross", "net", "amount"),
    Category.FEE: ("commission", "fees"),
}
TOLERANCES = {
    "avg_px": "price",
    "gross": "amount",
    "net": "amount",
    "amount": "amount",
    "commission": "fee",
    "fees": "fee",
}
SAID = {
    "instructed": "pending", "matched": "pending", "accepted": "pending", "waiting": "pending", "sent": "unconfirmed",
    "unconfirmed": "unconfirmed", "mismatched": "unconfirmed", "confirmed": "confirmed", "affirmed": "affirmed",
    "partially_settled": "partial", "cancelled": "canceled",
}  # fmt: skip
"""Words that are one word here: how far a custodian is with an open instruction is no difference."""


@dataclass(frozen=True, slots=True)
class Record:
    """One trade or instruction, of either side. ``names`` are what may be given back as ours; figures unsigned.

    Of theirs ``account_id`` or ``instrument_id`` None: none of ours by that name; a figure that is absent is not said.
    """

    ref: str
    account: str
    instrument: str
    side: str
    trade_date: date | None
    settlement_date: date | None = None
    currency: str = ""
    status: str = ""
    figures: Mapping[str, Decimal] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    line: int = 0
    account_id: UUID | None = None
    instrument_id: UUID | None = None
    order_id: UUID | None = None

    @property
    def key(self) -> tuple[UUID | None, UUID | None, str, date | None]:
        return (self.account_id, self.instrument_id, self.side, self.trade_date)

    @property
    def qty(self) -> Decimal:
        return self.figures.get("qty", ZERO)

    @property
    def worth(self) -> Decimal | None:
        """What is at stake, in the currency."""
        return next((self.figures[name] for name in ("net", "amount", "gross") if name in self.figures), None)

    @property
    def said(self) -> str:
        """The status in the words both sides share; empty is not said."""
        word = self.status.strip().lower().replace(" ", "_")
        return SAID.get(word, word)


@dataclass(slots=True)
class Judgement:
    """What was found, and how many of ours agree."""

    findings: list[Finding] = field(default_factory=list)
    matched: int = 0


def judge_post_trade(ours: Sequence[Record], theirs: Sequence[Record], *, what: str, rules: Rules) -> Judgement:
    """Compare all records; ``what`` is the word for one of ours (allocation, settlement)."""
    judgement = Judgement()
    pairs, left, extra, copies = _paired(ours, theirs)
    for mine, told in pairs:
        found = _of_pair(mine, told, what, rules)
        judgement.findings += found
        judgement.matched += not found
    judgement.findings += [_twice(mine, told, what, copy) for mine, told, copy in copies]
    judgement.findings += [_not_theirs(mine, what) for mine in left]
    judgement.findings += [_not_ours(told, what) for told in extra]
    return judgement


def _paired(
    ours: Sequence[Record], theirs: Sequence[Record]
) -> tuple[list[tuple[Record, Record]], list[Record], list[Record], list[tuple[Record, Record, int]]]:
    by_name = {name: mine for mine in ours for name in mine.names}
    pairs: dict[str, tuple[Record, Record]] = {}
    copies: list[tuple[Record, Record, int]] = []
    rest: list[Record] = []
    for told in sorted(theirs, key=lambda one: one.line):
        mine = next((by_name[name] for name in sorted(told.names) if name in by_name), None)
        if mine is None:
            rest.append(told)
        elif mine.ref in pairs:
            copies.append((mine, told, len(copies)))
        else:
            pairs[mine.ref] = (mine, told)
    groups: defaultdict[Any, tuple[list[Record], list[Record]]] = defaultdict(lambda: ([], []))
    for mine in sorted(ours, key=lambda one: one.ref):
        if mine.ref not in pairs:
            groups[mine.key][0].append(mine)
    extra: list[Record] = []
    for told in rest:
        if told.names or told.account_id is None or told.instrument_id is None:
            extra.append(told)  # it names one of ours that is not there, or nobody's: nothing is guessed
        else:
            groups[told.key][1].append(told)
    left: list[Record] = []
    for mine_of, told_of in groups.values():
        for mine, told in _within(mine_of, told_of):
            pairs[mine.ref] = (mine, told)
        left += mine_of
        extra += told_of
    return list(pairs.values()), left, extra, copies


def _within(ours: list[Record], theirs: list[Record]) -> Iterable[tuple[Record, Record]]:
    """Pairs of one key, taken out of both lists."""
    chosen = []
    for equal in (True, False):
        options = sorted(
            (_apart(mine, told), mine.ref, told.line, mine, told)
            for mine in ours
            for told in theirs
            if not equal or mine.qty == told.qty
        ) if equal or (len(ours) == 1 and len(theirs) == 1) else []  # fmt: skip
        for *_, mine, told in options:
            if mine in ours and told in theirs:
                ours.remove(mine)
                theirs.remove(told)
                chosen.append((mine, told))
    return chosen


def _apart(mine: Record, told: Record) -> Decimal:
    px = told.figures.get("avg_px")
    return abs(mine.figures["avg_px"] - px) if px is not None and "avg_px" in mine.figures else ZERO


def _of_pair(mine: Record, told: Record, what: str, rules: Rules) -> list[Finding]:
    found = []
    for category in (Category.QUANTITY, Category.PRICE, Category.FEE, Category.TIMING, Category.STATUS):
        differences = _differences(category, mine, told, rules)
        if differences:
            found.append(_pair_finding(category, mine, told, what, differences))
    return found


def _differences(category: Category, mine: Record, told: Record, rules: Rules) -> tuple[Difference, ...]:
    differences = [
        number_difference(name, mine.figures.get(name, ZERO), said)
        for name in FIELDS.get(category, ())
        if (said := told.figures.get(name)) is not None
        and not rules.within(TOLERANCES.get(name, name), mine.figures.get(name, ZERO), said, mine.currency)
    ]
    words: tuple[tuple[str, str, str], ...] = ()
    if category is Category.QUANTITY:
        words = (
            ("account", mine.account, told.account if told.account_id != mine.account_id else mine.account),
            (
                "instrument",
                mine.instrument,
                told.instrument if told.instrument_id != mine.instrument_id else mine.instrument,
            ),
            ("side", mine.side, told.side or mine.side),
        )
    elif category is Category.PRICE:
        words = (("currency", mine.currency, told.currency or mine.currency),)
    elif category is Category.TIMING:
        words = tuple(
            (name, _day(ours), _day(theirs or ours))
            for name, ours, theirs in (
                ("trade_date", mine.trade_date, told.trade_date),
                ("settlement_date", mine.settlement_date, told.settlement_date),
            )
        )
    elif category is Category.STATUS:
        words = (("status", mine.said, told.said or mine.said),)
    return (*differences, *(Difference(name, ours, theirs) for name, ours, theirs in words if ours != theirs))


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _pair_finding(
    category: Category, mine: Record, told: Record, what: str, differences: tuple[Difference, ...]
) -> Finding:
    said = "; ".join(f"{one.field} is {one.spelt[0]} with us and {one.spelt[1]} with them" for one in differences)
    advice = {
        Category.QUANTITY: "Compare the executions of the block first; then ask for another record, or allocate anew with a second person.",
        Category.PRICE: "Compare average price and rounding with them; a cent may be a tolerance, a price never is.",
        Category.FEE: "Compare the schedules both sides charge by on that day.",
        Category.TIMING: "Compare the settlement calendar and cycle of the market; it must agree before the cut-off.",
        Category.STATUS: "Take their status in by its own file or message; a status is never typed.",
    }[category]
    sizes = [abs(Decimal(one.difference)) for one in differences if one.difference and one.field != "qty"]
    return _finding(
        category, mine, told, f"{what.capitalize()} {mine.ref} of {mine.account} in {mine.instrument}: {said}.", advice,
        differences, max(sizes) if sizes else mine.worth,
    )  # fmt: skip


def _twice(mine: Record, told: Record, what: str, copy: int) -> Finding:
    return _finding(
        Category.DUPLICATE_SUSPECT, mine, told,
        f"They name {what} {mine.ref} of {mine.account} in {mine.instrument} once more in line {told.line}.",
        "Ask them whether the record was repeated; it counts once with us.", (), told.worth or mine.worth, copy,
    )  # fmt: skip


def _not_theirs(mine: Record, what: str) -> Finding:
    return _finding(
        Category.MISSING_EXTERNAL, mine, None,
        f"We have {what} {mine.ref}: {spelt(mine.qty)} of {mine.instrument} for {mine.account}; the file does not name it.",
        "Ask them for it before its cut-off; send ours again if they have not got it.",
        (number_difference("qty", mine.qty, ZERO),), mine.worth,
    )  # fmt: skip


def _not_ours(told: Record, what: str) -> Finding:
    known = "" if told.account_id and told.instrument_id else " No account or instrument of ours has that name."
    return Finding(
        category=Category.MISSING_INTERNAL,
        ids=_ids(told),
        names=NAMES,
        why=f"They have {spelt(told.qty)} of {told.instrument} for {told.account} as {told.ref}; we have no such {what}.{known}",
        suggestion="Look for the block it belongs to; nothing is allocated that nobody executed. A name is declared by two people.",
        differences=(number_difference("qty", ZERO, told.qty),),
        theirs=_shown(told),
        lines=(told.line,),
        exposure=told.worth,
        currency=told.currency,
        account_id=told.account_id,
        instrument_id=told.instrument_id,
    )


def _finding(
    category: Category, mine: Record, told: Record | None, why: str, suggestion: str,
    differences: tuple[Difference, ...], exposure: Decimal | None, copy: int = 0,
) -> Finding:  # fmt: skip
    return Finding(
        category=category,
        ids=_ids(mine),
        names=NAMES,
        why=why,
        suggestion=suggestion,
        differences=differences,
        ours=_shown(mine),
        theirs=_shown(told) if told else {},
        lines=(told.line,) if told else (),
        exposure=exposure,
        currency=mine.currency,
        account_id=mine.account_id,
        instrument_id=mine.instrument_id,
        order_id=mine.order_id,
        copy=copy,
    )


def _ids(record: Record) -> dict[str, str]:
    return {
        "ref": record.ref, "account": record.account, "isin": record.instrument, "side": record.side,
        "trade_date": _day(record.trade_date),
    }  # fmt: skip


def _shown(record: Record) -> dict[str, Any]:
    told = _ids(record) | {
        "settlement_date": _day(record.settlement_date), "currency": record.currency, "status": record.status,
        **{name: plain(value) for name, value in record.figures.items()},
    }  # fmt: skip
    if record.line:
        told["line"] = str(record.line)
    return {name: value for name, value in told.items() if value}
