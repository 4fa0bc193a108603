"""What a comparison is given and what it gives back, the same for every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from psycopg.pq import TransactionStatus

from reconciliation.domain.findings import Finding
from reconciliation.domain.rules import Rules
from reconciliation.matching.known import Known

MOST_JUDGED = 50_000
"""Records that are judged one by one. Where more than these do not agree at first sight, the file is wrong, not the books."""


@dataclass(frozen=True, slots=True)
class Task:
    """One comparison: the staged table of the file, and what of the books it is about.

    ``markets`` empty: all of them. ``cut_at``: what happened later is none of the file's business. ``came_at``: nor of
    cash what we booked after it came, for a day's file is compared again when the day has gone on. ``partial``: a statement of
    single accounts, which says nothing of those it does not name. ``known``: lines of the file that are not in the table, for
    they are word for word what we have; ``add`` puts some of them into it after all.
    """

    table: str
    source: str
    as_of: date
    at: datetime
    rules: Rules
    cut_at: datetime | None = None
    came_at: datetime | None = None
    markets: tuple[str, ...] = ()
    partial: bool = False
    known: Known | None = None
    add: Callable[[Mapping[int, str]], None] | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """``internal`` records of ours that the file should have, ``external`` rows of it, ``matched`` of ours that agree.

    ``unjudged``: so many did not agree at first sight that none was judged. ``complete`` is False then.
    ``only``: names of a break, and the words of them that the file speaks of; it closes no others.
    ``sums``: by measure what ours and theirs come to; none where nothing was judged.
    """

    internal: int
    external: int
    matched: int
    findings: Sequence[Finding] = ()
    unjudged: int = 0
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sums: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return self.unjudged == 0


def in_failed_transaction(cursor: Any) -> bool:
    """Whether nothing can be done any more but to roll back, which takes tables and settings of the transaction with it."""
    return bool(cursor.connection.info.transaction_status is TransactionStatus.INERROR)


class Rows:
    """Rows of a cursor by column name, without a dict a row being the rule of the house."""

    def __init__(self, cursor: Any) -> None:
        self.names = [column.name for column in cursor.description]
        self.rows = cursor.fetchall()

    def dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]
