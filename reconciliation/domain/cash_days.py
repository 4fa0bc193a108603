"""Which rows of a bank's file are of the day that is compared, and what is said of a balance that is of another one. Pure.

A file may hold statements of several days. Each ends with its balance: what an account has of other days than the one that is compared,
its balance and the entries up to it, is no part of the comparison. An account of which the file has one balance alone is compared with
it, whatever its day: where the figure agrees, only that day differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from reconciliation.domain.cash_matching import BALANCE_NAMES, Judgement, OurBalance, TheirBalance
from reconciliation.domain.findings import Category, Difference, Finding

Row = dict[str, Any]


def of_the_day(rows: Sequence[Row], day: date) -> list[Row]:
    """The rows without those of statements of other days, where there is one of the day."""
    ends: defaultdict[tuple[str, str], set[date]] = defaultdict(set)
    for row in rows:
        if row["record"] != "entry" and row["as_of"] is not None:
            ends[row["account"], row["currency"]].add(row["as_of"])
    return [row for row in rows if not _is_of_another(row, ends.get((row["account"], row["currency"]), set()), day)]


def _is_of_another(row: Row, ends: set[date], day: date) -> bool:
    if day not in ends or len(ends) == 1 or row["as_of"] is None:
        return False
    if row["record"] != "entry":
        return bool(row["as_of"] != day)
    return any(end < day and row["as_of"] <= end for end in ends) or bool(row["as_of"] > day)


def tell_other_days(
    balances: Iterable[tuple[TheirBalance, date | None]], books: Iterable[OurBalance], day: date, judgement: Judgement
) -> None:
    """A balance that agrees and is of another day than the one that is compared: timing. One that differs is told already."""
    told = {(one.account_id, one.currency) for one in judgement.findings if one.ids.get("what") == "balance"}
    ours = {(one.account_id, one.currency): one for one in books}
    for row, as_of in balances:
        book = ours.get((row.account_id, row.currency)) if row.account_id is not None else None
        if as_of in (None, day) or book is None or (book.account_id, book.currency) in told:
            continue
        judgement.matched -= bool(book.settled or book.due)
        judgement.findings.append(_of_another_day(row, book, str(as_of), day))


def _of_another_day(row: TheirBalance, book: OurBalance, said: str, day: date) -> Finding:
    return Finding(
        category=Category.TIMING,
        ids={"account": book.account, "currency": book.currency, "what": "balance"},
        names=BALANCE_NAMES,
        why=f"The balance of {book.account} in {book.currency} agrees, but the file says it is of {said} and not of {day}.",
        suggestion="Compare it with the day it is of, or ask the bank for the statement of this one.",
        differences=(Difference("as_of", day.isoformat(), said),),
        ours={"account": book.account, "currency": book.currency, "settled": str(book.settled)},
        theirs={"line": row.line, "account": row.account, "currency": row.currency, "as_of": said},
        lines=(row.line,),
        exposure=abs(row.amount),
        currency=book.currency,
        account_id=book.account_id,
    )
