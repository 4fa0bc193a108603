"""Positions of a file against ours: one figure an account and instrument, on the basis the file speaks of. Pure.

Several lines of one account and instrument are one position held in several places: their sum is compared, never a sum over
other keys. What is due and not confirmed is a difference in time, what a corporate action would explain is said to be that.
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

SETTLED, TRADED = "settled", "traded"
NAMES = ("account", "isin", "instrument", "basis")


@dataclass(frozen=True, slots=True)
class OurPosition:
    """Units of one account in one instrument by trades of up to the day; short is negative. ``due``: not confirmed by then.

    ``note`` says what is special about the account.
    """

    account_id: UUID
    account: str
    instrument_id: UUID
    isin: str
    settled: Decimal = ZERO
    due: Decimal = ZERO
    traded: Decimal = ZERO
    price: Decimal | None = None
    currency: str = ""
    note: str = ""

    def on(self, basis: str) -> Decimal:
        """The figure a file of this basis is compared with."""
        return self.traded if basis == TRADED else self.settled


@dataclass(frozen=True, slots=True)
class TheirPosition:
    """A line of the file; an account or instrument that is None is none of ours by that name."""

    line: int
    account: str
    instrument: str
    qty: Decimal
    basis: str = SETTLED
    account_id: UUID | None = None
    instrument_id: UUID | None = None
    isin: str = ""
    as_of: date | None = None


@dataclass(frozen=True, slots=True)
class ActionNear:
    """A split near the day: what it is called, its ex date, how many units one becomes, and whether our books have it."""

    name: str
    ex_date: date
    ratio: Decimal
    booked: bool


@dataclass(slots=True)
class Judgement:
    """What was found, and how many positions of ours agree beyond those that had at first sight."""

    findings: list[Finding] = field(default_factory=list)
    matched: int = 0


def judge_positions(
    ours: Iterable[OurPosition],
    theirs: Iterable[TheirPosition],
    *,
    as_of: date,
    bases: Sequence[str],
    rules: Rules,
    actions: Mapping[UUID, Sequence[ActionNear]],
) -> Judgement:
    """Compare what did not agree at first sight. ``bases`` are those the file speaks of."""
    books = {(one.account_id, one.instrument_id): one for one in ours}
    lines: defaultdict[tuple[UUID, UUID, str], list[TheirPosition]] = defaultdict(list)
    judgement = Judgement()
    for row in sorted(theirs, key=lambda row: row.line):
        if row.account_id is None or row.instrument_id is None:
            judgement.findings.append(_of_nobody(row))
        else:
            lines[row.account_id, row.instrument_id, row.basis].append(row)
    for (account_id, instrument_id, basis), rows in lines.items():
        position = books.get((account_id, instrument_id))
        near = actions.get(instrument_id, ())
        found = _of_both(position, rows, basis, as_of, rules, near)
        judgement.findings += found
        if position is not None and position.on(basis) and not found:
            judgement.matched += 1
    for key, position in sorted(books.items(), key=lambda item: (item[1].account, item[1].isin)):
        for basis in bases:
            if (*key, basis) not in lines and position.on(basis):
                judgement.findings.append(_not_theirs(position, basis))
    return judgement


def _of_both(
    position: OurPosition | None, rows: Sequence[TheirPosition], basis: str, as_of: date, rules: Rules,
    near: Sequence[ActionNear],
) -> list[Finding]:  # fmt: skip
    mine = position.on(basis) if position else ZERO
    total = sum((row.qty for row in rows), ZERO)
    dated = next((row.as_of for row in rows if row.as_of not in (None, as_of)), None)
    if rules.within("qty", mine, total):
        return [_of_another_day(position, rows, basis, as_of, dated)] if dated is not None and position else []
    if len(rows) > 1 and len({row.qty for row in rows}) == 1 and rules.within("qty", mine, rows[0].qty):
        return [_twice(position, row, basis, copy) for copy, row in enumerate(rows[1:]) if position is not None]
    if position is None or (not mine and not position.due):
        return [_not_ours(position, rows, total, basis)]
    due = basis == SETTLED and position.due and rules.within("qty", mine + position.due, total)
    return [_differs(position, rows, total, basis, near, due=bool(due))]


def _differs(
    position: OurPosition,
    rows: Sequence[TheirPosition],
    total: Decimal,
    basis: str,
    near: Sequence[ActionNear],
    *,
    due: bool,
) -> Finding:
    mine = position.on(basis)
    what = f"{position.account} in {position.isin}"
    if due:
        why = (
            f"They have {spelt(position.due)} units of {what} settled that fell due by the day and that nobody has confirmed to "
            f"us yet: {spelt(total)} with them, {spelt(mine)} settled and {spelt(position.due)} due with us."
        )
    else:
        why = f"They have {spelt(total)} units of {what} ({basis}), we have {spelt(mine)}: {spelt(total - mine)} more or less."
        why = why.replace(" more or less", f" {'more' if total > mine else 'less'} with them").replace(": -", ": ")
        why += _by_action(mine, total, near)
        if len(rows) > 1:
            why += f" The file tells it in {len(rows)} lines."
        if total == -mine:
            why += " The sign alone differs: long with one side, short with the other."
    return _finding(
        Category.TIMING if due else Category.QUANTITY,
        position,
        rows,
        basis,
        why,
        "Apply the file to the settled layer (start of day), which confirms what is due."
        if due
        else "Reconcile the executions of the account first; then ask the custodian for its movements since the last day that agreed.",
        (number_difference("qty", mine, total),),
        abs(total - mine),
    )


def _by_action(mine: Decimal, total: Decimal, near: Sequence[ActionNear]) -> str:
    for action in near:
        if mine and total in (mine * action.ratio, mine / action.ratio):
            side = (
                "our books have it and theirs do not"
                if total != mine * action.ratio
                else "theirs have it and our books do not"
            )
            state = "" if action.booked else " (it is not applied with us)"
            return f" That is exactly the ratio of {action.name}, ex {action.ex_date}{state}: {side}."
    return ""


def _of_another_day(
    position: OurPosition, rows: Sequence[TheirPosition], basis: str, as_of: date, dated: date | None
) -> Finding:
    said = dated.isoformat() if dated else ""
    return _finding(
        Category.TIMING,
        position,
        rows,
        basis,
        f"The figure of {position.account} in {position.isin} agrees, but the file says it is of {said} and not of {as_of}.",
        "Ask for the file of the right day; accept it as timing if there is none.",
        (Difference("as_of", as_of.isoformat(), said),),
        ZERO,
    )


def _twice(position: OurPosition, row: TheirPosition, basis: str, copy: int) -> Finding:
    return _finding(
        Category.DUPLICATE_SUSPECT,
        position,
        [row],
        basis,
        f"They list {position.account} in {position.isin} once more with the same {spelt(row.qty)} units; one line alone agrees.",
        "Ask them whether the line was repeated.",
        (),
        abs(row.qty),
        copy,
    )


def _not_ours(position: OurPosition | None, rows: Sequence[TheirPosition], total: Decimal, basis: str) -> Finding:
    row = rows[0]
    return Finding(
        category=Category.MISSING_INTERNAL,
        ids={"account": row.account, "isin": row.isin, "basis": basis},
        names=NAMES,
        why=f"They have {spelt(total)} units of {row.account} in {row.isin} ({basis}); our books have none.",
        suggestion="Look for a trade or transfer that was not reported; nothing is booked that nobody reported.",
        differences=(number_difference("qty", ZERO, total),),
        theirs=_their_record(row),
        lines=tuple(one.line for one in rows),
        exposure=_worth(abs(total), position),
        currency=position.currency if position else "",
        account_id=row.account_id,
        instrument_id=row.instrument_id,
    )


def _of_nobody(row: TheirPosition) -> Finding:
    what = f"account {row.account}" if row.account_id is None else f"instrument {row.instrument}"
    return Finding(
        category=Category.MISSING_INTERNAL,
        ids={"account": row.account, "instrument": row.instrument, "isin": row.isin, "basis": row.basis},
        names=NAMES,
        why=f"They have {spelt(row.qty)} units of {row.account} in {row.instrument}; no {what} of ours has that name.",
        suggestion="If it is one of ours under another name, declare the name with a second person.",
        differences=(number_difference("qty", ZERO, row.qty),),
        theirs=_their_record(row),
        lines=(row.line,),
        account_id=row.account_id,
        instrument_id=row.instrument_id,
    )


def _not_theirs(position: OurPosition, basis: str) -> Finding:
    mine = position.on(basis)
    note = f" {position.note}" if position.note else ""
    return _finding(
        Category.MISSING_EXTERNAL,
        position,
        [],
        basis,
        f"Our books have {spelt(mine)} units of {position.account} in {position.isin} ({basis}); the file does not list it.{note}",
        "Ask the custodian for the account; a line that is left out is not a balance of zero.",
        (number_difference("qty", mine, ZERO),),
        abs(mine),
    )


def _finding(
    category: Category, position: OurPosition, rows: Sequence[TheirPosition], basis: str, why: str, suggestion: str,
    differences: tuple[Difference, ...], units: Decimal, copy: int = 0,
) -> Finding:  # fmt: skip
    return Finding(
        category=category,
        ids={"account": position.account, "isin": position.isin, "basis": basis},
        names=NAMES,
        why=why,
        suggestion=suggestion,
        differences=differences,
        ours={
            "account": position.account, "isin": position.isin, "settled": plain(position.settled),
            "due": plain(position.due), "traded": plain(position.traded), "basis": basis,
        },
        theirs=_their_record(rows[0]) if rows else {},
        lines=tuple(row.line for row in rows),
        exposure=_worth(units, position),
        currency=position.currency,
        account_id=position.account_id,
        instrument_id=position.instrument_id,
        copy=copy,
    )  # fmt: skip


def _worth(units: Decimal, position: OurPosition | None) -> Decimal | None:
    """At the last good price, in money; None without one."""
    return units * position.price if position is not None and position.price is not None else None


def _their_record(row: TheirPosition) -> Mapping[str, Any]:
    said = {
        "line": row.line, "account": row.account, "instrument": row.instrument, "qty": plain(row.qty), "basis": row.basis,
        "as_of": row.as_of.isoformat() if row.as_of else "",
    }  # fmt: skip
    return {name: value for name, value in said.items() if value != ""}
