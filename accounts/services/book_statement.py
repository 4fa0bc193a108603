"""Set the settled layer to what bank or registry say, as of their cut: only what differs is written (ADR 0041).

Inside the caller's transaction, in three calls: ``open_statement`` gives an empty ``accounts_wanted`` to fill and lets no other
statement of the kind in, ``weigh_statement`` says what would change (a dry run is these two and a rollback), ``book_statement``
books it. Where the rows are a query of the caller's, ``weigh_in_one_pass`` does as the second, and where all of them are sound nothing
needs to be filled. All changes are differences, so fills, withdrawals and deposits that commit meanwhile stay: the outcome is that of
some order of both. The cash rows of the accounts concerned are locked before anything is written, as for every booking.

Few large events tell it (``StatementBooked`` in ``feed:<file>``): ``rows`` of account, currency or instrument, what the settled
layer moved by, and how much of that came from pending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, LiteralString
from uuid import UUID

from accounts.domain.ledger import Shortfall
from accounts.locks import lock_moved, lock_statements
from accounts.models import StatementPart
from accounts.permissions import require_booking_process
from accounts.services._statement_sql import (
    CASH,
    TARGETS,
    Sums,
    Target,
    compute_moves,
    open_wanted,
)
from accounts.services.book_executions import overdrawn_anomaly
from authorisation.domain.principal import Principal
from journal.bulk import insert_rows, raw_cursor
from journal.domain.chain import Canonical, EventDraft
from journal.domain.records import ANOMALY_CLEARED, ANOMALY_RAISED
from journal.notify import notify
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.ids import new_id

PARTS_A_WRITE = 20
KIND = "StatementBooked"


@dataclass(frozen=True, slots=True)
class Statement:
    """``what`` is cash or holdings; ``cut_at`` as of when its figures are, ``day`` the settlement dates that had come by then."""

    statement_id: UUID
    file_id: UUID
    source: str
    what: str
    cut_at: datetime
    day: date

    @property
    def target(self) -> Target:
        return TARGETS[self.what]


@dataclass(frozen=True, slots=True)
class StatementQuery:
    """A query whose rows are those of ``accounts_wanted``, and its parameters."""

    text: LiteralString
    values: dict[str, object]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a statement would change: balances in it, those that change, and by currency (units in all for holdings) the
    settled layer before and after; ``unexplained`` is the part that no due trade explains. ``older`` balances were set as of
    a later cut already and are left alone."""

    balances: int
    changed: int
    older: int
    totals: dict[str, dict[str, Decimal]]


@dataclass(frozen=True, slots=True)
class StatementResult:
    """Balances changed, and how many fell below what is held or came back."""

    changed: int
    overdrawn: int
    recovered: int


_OLDER = """
DELETE FROM accounts_wanted w USING (
     SELECT DISTINCT b.account_id, {named} AS what FROM accounts_booking b
      WHERE b.event_id = ANY(%s::uuid[]) AND b.recorded_at >= %s AND b.kind IN ('statement', 'settlement') AND b.{of_booking}) n
 WHERE n.account_id = w.account_id AND n.what = w.what
"""
_TURNED = """
SELECT m.account_id, m.what, b.settled + b.pending - b.reserved + m.difference - m.moved AS available, m.part
  FROM accounts_move m JOIN {table} b ON b.id = m.balance_id
 WHERE (b.settled + b.pending - b.reserved + m.difference - m.moved < 0) <> (b.overdrawn_by_event IS NOT NULL)
UNION ALL
SELECT account_id, what, difference - moved, part FROM accounts_move WHERE balance_id IS NULL AND difference < moved
"""
_MARK = (
    "CASE WHEN {available} >= 0 THEN NULL ELSE coalesce({table}.overdrawn_by_event, (%(ids)s::uuid[])[m.part + 1]) END"
)
_UPDATE = """
UPDATE {table} SET settled = {table}.settled + m.difference, pending = {table}.pending - m.moved,
       overdrawn_by_event = {mark}
  FROM accounts_move m WHERE {table}.id = m.balance_id AND m.difference <> 0
"""
# Moves stand in the order of accounts and what they hold, so that new rows come to their index side by side.
_INSERT = """
INSERT INTO {table} (account_id, {column}, settled, pending, reserved{short}, overdrawn_by_event)
SELECT account_id, what, difference, -moved, 0{zero}, CASE WHEN difference < moved THEN (%(ids)s::uuid[])[part + 1] END
  FROM accounts_move WHERE balance_id IS NULL
"""
_BOOKINGS = """
INSERT INTO accounts_booking (account_id, event_id, kind, layer, currency, instrument_id, amount, trade_date, settlement_date,
                              recorded_at)
SELECT account_id, (%(ids)s::uuid[])[part + 1], kind, layer, {currency}, {instrument}, amount, %(day)s, settles, %(at)s
  FROM (SELECT part, account_id, what, 'statement' AS kind, 'settled' AS layer, difference - moved AS amount, %(day)s AS settles
          FROM accounts_move WHERE difference <> moved
         UNION ALL
        SELECT part, account_id, what, 'settlement', 'settled', moved, %(day)s FROM accounts_move WHERE moved <> 0
         UNION ALL
        SELECT part, account_id, what, 'settlement', 'pending', -amount, settlement_date FROM accounts_settle) moves
"""
_PARTS = """
SELECT part, '[' || string_agg(format('["%%s","%%s","%%s","%%s"]', account_id, what, trim_scale(difference), trim_scale(moved)),
                               ',' ORDER BY account_id, what) || ']',
       min(account_id::text)::uuid, max(account_id::text)::uuid
  FROM accounts_move WHERE part BETWEEN %s AND %s GROUP BY part ORDER BY part
"""


def open_statement(statement: Statement) -> None:
    """An empty ``accounts_wanted`` until commit, for the caller to fill, and to ``ANALYZE`` where it is large; no other statement
    of the kind is weighed or booked meanwhile."""
    lock_statements(statement.what)
    with raw_cursor() as cursor:
        open_wanted(cursor, statement.target)


def weigh_statement(statement: Statement) -> Weighed:
    """What the wanted figures would change on the books of now."""
    target = statement.target
    with raw_cursor(binary=True) as cursor:
        older = _leave_newer(cursor, statement)
        computed = compute_moves(cursor, target, cut_at=statement.cut_at, day=statement.day)
    return _weighed(computed.sums, older)


def weigh_in_one_pass(statement: Statement, query: StatementQuery) -> Weighed | None:
    """As ``weigh_statement``, of the rows of ``query`` (the columns of ``accounts_wanted``), none of which is stored.

    None where one of them breaks a rule, where two are about one balance, or where some were set as of a later cut: then the
    caller fills ``accounts_wanted`` and says which.
    """
    if _newer(statement):
        return None
    with raw_cursor(binary=True) as cursor:
        computed = compute_moves(
            cursor, statement.target, cut_at=statement.cut_at, day=statement.day, query=(query.text, query.values)
        )
    return None if computed.broken or computed.twice else _weighed(computed.sums, 0)


def _weighed(sums: list[Sums], older: int) -> Weighed:
    totals = {
        one.grouped: {
            "before": one.settled, "after": one.settled + one.difference, "settled_now": one.moved,
            "unexplained": one.difference - one.moved,
        }
        for one in sums
    }  # fmt: skip
    return Weighed(sum(one.balances for one in sums), sum(one.changed for one in sums), older, totals)


def _newer(statement: Statement) -> list[tuple[UUID, datetime]]:
    """Events that set balances of the kind as of a later cut, and when they were written."""
    newer = StatementPart.objects.filter(what=statement.what, cut_at__gt=statement.cut_at)
    return list(newer.values_list("event_id", "recorded_at"))


def _leave_newer(cursor: Any, statement: Statement) -> int:
    """Take out of ``accounts_wanted`` what was set as of a later cut already; how many that were."""
    found = _newer(statement)
    if not found:
        return 0
    target = statement.target
    sql = _OLDER.format(named=target.named, of_booking=target.of_booking)
    cursor.execute(sql, [[event_id for event_id, _ in found], min(at for _, at in found)])
    return int(cursor.rowcount)


def book_statement(
    *, actor: Principal, at: datetime, statement: Statement, opened: Callable[[], None] | None = None
) -> StatementResult:
    """Book what ``weigh_statement`` found, in the same transaction. For our own processes, on behalf of whoever accepted it.

    ``opened``: all the accounts are still being opened by somebody else; returns once they are there, or raises. Before that only
    bookings are written, which no other session looks for, and nothing is locked.
    """
    require_booking_process(actor)
    target = statement.target
    with raw_cursor(binary=True) as cursor:
        cursor.execute("SELECT max(part), count(*) FROM accounts_move")
        last, changed = cursor.fetchall()[0]
        if not changed:
            return StatementResult(0, 0, 0)
        ids = [new_id() for _ in range(last + 1)]
        if opened is None:
            lock_moved(target.table)
        _write_bookings(cursor, target, {"ids": ids, "day": statement.day, "at": at})
        if opened is not None:
            opened()
        for drafts, parts in _told(cursor, actor, at, statement, ids):
            append_to_stream(drafts=drafts, at=at, wake=False)
            insert_rows(StatementPart, parts)
        if opened is not None:
            lock_moved(target.table)
        turned = _turned(cursor, target, ids)
        _write_balances(cursor, target, ids)
    append_to_stream(drafts=_anomalies(actor, at, statement, turned), at=at, wake=False)
    notify()
    overdrawn = sum(item.available < 0 for item in turned)
    return StatementResult(changed, overdrawn, len(turned) - overdrawn)


def _write_bookings(cursor: Any, target: Target, values: dict[str, object]) -> None:
    named = {"currency": "what", "instrument": "NULL"} if target is CASH else {"currency": "''", "instrument": "what"}
    cursor.execute(_BOOKINGS.format(**named), values)


def _turned(cursor: Any, target: Target, ids: list[UUID]) -> list[Shortfall]:
    """Balances that fall below what is held, or come back."""
    cursor.execute(_TURNED.format(table=target.table))
    return [
        Shortfall(account_id, what if target is CASH else "", None if target is CASH else what, available, ids[part])
        for account_id, what, available, part in cursor.fetchall()
    ]


def _write_balances(cursor: Any, target: Target, ids: list[UUID]) -> None:
    table = target.table
    available = f"{table}.settled + {table}.pending - {table}.reserved + m.difference - m.moved"
    mark = _MARK.format(available=available, table=table)
    cursor.execute(_UPDATE.format(table=table, mark=mark), {"ids": ids})
    more = {"short": "", "zero": ""} if target is CASH else {"short": ", short", "zero": ", 0"}
    cursor.execute(_INSERT.format(table=table, column=target.column, **more), {"ids": ids})


def _told(
    cursor: Any, actor: Principal, at: datetime, statement: Statement, ids: list[UUID]
) -> Iterator[tuple[list[EventDraft], list[tuple[Any, ...]]]]:
    """The events of the moves and which accounts each is about, some at a time: memory does not grow with the file."""
    for start in range(0, len(ids), PARTS_A_WRITE):
        cursor.execute(_PARTS, [start, start + PARTS_A_WRITE - 1])
        found = cursor.fetchall()
        drafts = [_draft(actor, at, statement, ids[part], part, Canonical(rows)) for part, rows, _, _ in found]
        parts = [
            (ids[part], statement.statement_id, statement.file_id, statement.source, statement.what, statement.cut_at,
             first, last, at)
            for part, _, first, last in found
        ]  # fmt: skip
        yield drafts, parts


def _draft(
    actor: Principal, at: datetime, statement: Statement, event_id: UUID, part: int, rows: Canonical
) -> EventDraft:
    return EventDraft(
        id=event_id,
        stream=f"feed:{statement.file_id}",
        kind=KIND,
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=statement.statement_id,
        event_at=statement.cut_at,
        received_at=at,
        business_date=statement.day,
        payload={
            "statement_id": str(statement.statement_id),
            "file_id": str(statement.file_id),
            "source": statement.source,
            "what": statement.what,
            "cut_at": statement.cut_at.isoformat(),
            "part": part,
            "rows": rows,
        },
    )


def _anomalies(actor: Principal, at: datetime, statement: Statement, turned: list[Shortfall]) -> list[EventDraft]:
    """What a person must hear of, or need no longer."""
    return [
        anomaly_draft(
            anomaly=overdrawn_anomaly(item),
            actor=actor.actor,
            at=at,
            kind=ANOMALY_RAISED if item.available < 0 else ANOMALY_CLEARED,
            business_date=statement.day,
            causation_id=item.event_id,
        )
        for item in turned
    ]
