"""Look into a kept file: what it says about itself and, when it is small enough for a door, whether all of it can be read.

A larger file is read once, by whoever stages it (``record_reading`` then keeps what was found): nobody reads gigabytes twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from kernel.numbers import plain
from reconciliation.domain.records import Kind, names_of
from reconciliation.domain.statement_facts import StatementFacts
from reconciliation.formats.problems import FileProblem, RowProblem
from reconciliation.formats.read_statement import open_statement
from reconciliation.formats.statement import Counted, Header, Row, Statement

PROBLEMS_KEPT = 100
BALANCES_KEPT = 2_000
_CASH = names_of(Kind.CASH)
_RECORD, _ACCOUNT, _CURRENCY = (_CASH.index(name) for name in ("record", "account", "currency"))
_OPENING, _AMOUNT = (_CASH.index(name) for name in ("opening", "amount"))


def look_into(path: Path, kind: Kind, *, format: str, whole: bool) -> StatementFacts:
    """What the file says, and with ``whole`` what was counted and found wrong. Never raises for what is in the file."""
    statement: Statement | None = None
    found = _Found(kind)
    try:
        statement = open_statement(path, kind, format=format or None)
        if whole:
            for row in statement.rows():
                found.take(row)
    except FileProblem as problem:
        facts = facts_of(statement.header, None, ()) if statement else {}
        return StatementFacts(**facts, fault_code=problem.code, fault=problem.sentence)
    facts = facts_of(statement.header, statement.counted, statement.problems)
    facts["day"] = facts["day"] or found.day
    opening, closing = found.opening, found.closing
    if statement.header.opening is not None and not opening:
        opening = {"": statement.header.opening}
    if statement.header.closing is not None and not closing:
        closing = {"": statement.header.closing}
    return StatementFacts(**facts, opening=opening, closing=closing)


def facts_of(header: Header, counted: Counted | None, problems: Iterable[RowProblem]) -> dict[str, Any]:
    """Header, counts and problems as the columns of a ``FeedFile`` take them."""
    kept = [
        {"line": one.line, "column": one.column, "code": one.code, "sentence": one.sentence}
        for _, one in zip(range(PROBLEMS_KEPT), problems, strict=False)
    ]
    said: dict[str, Any] = {name: plain(total) for name, total in header.said.sums.items()}
    if header.said.rows is not None:
        said["rows"] = header.said.rows
    return {
        "format": header.format,
        "source": header.source,
        "day": header.statement_date or (header.cut_at.date() if header.cut_at else None),
        "cut_at": header.cut_at,
        "sequence": "" if header.sequence is None else str(header.sequence),
        "previous": header.previous,
        "said": said,
        "rows": counted.rows if counted else None,
        "refused_rows": counted.refused if counted else 0,
        "sums": {name: plain(total) for name, total in counted.sums.items()} if counted else {},
        "problems": kept,
    }


class _Found:
    """Of the rows: the latest day they say they are of, and of cash the booked balances, as long as they are few."""

    def __init__(self, kind: Kind) -> None:
        self.opening: dict[str, Decimal] = {}
        self.closing: dict[str, Decimal] = {}
        names = names_of(kind)
        self._as_of = names.index("as_of") if "as_of" in names else None
        self._is_cash = kind is Kind.CASH
        self._latest = ""

    @property
    def day(self) -> date | None:
        """None where no row says a day."""
        return date.fromisoformat(self._latest) if self._latest else None

    def take(self, row: Row) -> None:
        """One more."""
        if self._as_of is not None:
            self._latest = max(self._latest, row.values[self._as_of])
        if self._is_cash and row.values[_RECORD] in ("", "balance"):
            self._take_balance(row.values)

    def _take_balance(self, values: tuple[str, ...]) -> None:
        key = f"{values[_ACCOUNT]} {values[_CURRENCY]}"
        if len(self.closing) < BALANCES_KEPT or key in self.closing:
            self.closing[key] = Decimal(values[_AMOUNT])
            if values[_OPENING]:
                self.opening.setdefault(key, Decimal(values[_OPENING]))
