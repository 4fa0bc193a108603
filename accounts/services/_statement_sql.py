"""Statements set-based: the twin of ``domain.statement`` over all balances of a file at once. Tables of the session, no row
of a balance read one by one.

``accounts_wanted`` (account_id, what, amount) is filled by the caller; ``what`` is a currency or an instrument. Its further
columns are the caller's own, so that a file becomes one table and not two: which line says it, of what name, and which
``rule`` it breaks. A row with a rule is not wanted. From the others: ``accounts_due`` (what had fallen due, by date),
``accounts_since`` (what was booked after the cut), ``accounts_move`` (each balance that changes), ``accounts_settle`` (what of each
date settles). All are dropped at commit.

A query with the columns of ``accounts_wanted`` does as well as the table: then the rows that stay as they are, nearly all of
them, are never stored at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, LiteralString, NamedTuple

import psycopg

from accounts.domain.statement import REPLACED, WINDOW_DAYS

Cursor = psycopg.Cursor[tuple[object, ...]]
ROWS_A_PART = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """Which balances a statement is about: the table, and how a row and a booking name what is held."""

    what: str
    table: str
    named: str
    column: str
    of_booking: str


class Sums(NamedTuple):
    """Of a currency, or of all units: balances, those that change, the settled layer before, its difference, and what moved."""

    grouped: str
    balances: int
    changed: int
    settled: Decimal
    difference: Decimal
    moved: Decimal


Query = tuple[LiteralString, dict[str, object]]
"""A query whose rows are those of ``accounts_wanted``, and its parameters."""


class Computed(NamedTuple):
    """What balances come to; ``broken`` rows have a rule, ``twice`` rows are about a balance that another one is about."""

    sums: list[Sums]
    broken: int
    twice: int


CASH = Target("cash", "accounts_cashbalance", "b.currency", "currency", "instrument_id IS NULL")
HOLDINGS = Target("holdings", "accounts_holding", "b.instrument_id", "instrument_id", "instrument_id IS NOT NULL")
TARGETS = {target.what: target for target in (CASH, HOLDINGS)}

_WANTED = """
CREATE TEMP TABLE accounts_wanted (account_id uuid, what {type}, amount numeric(24, 8) NOT NULL, line bigint, named text, rule text,
    CHECK (rule IS NOT NULL OR (account_id IS NOT NULL AND what IS NOT NULL))) ON COMMIT DROP
"""
# Of trades what is left of each (with its corrections and busts), of what has settled the settlements themselves; of all balances,
# whether the statement is about them or not.
_DUE = """
CREATE TEMP TABLE accounts_due ON COMMIT DROP AS
WITH matters AS (
     SELECT b.account_id, {named} AS what, b.settlement_date, b.kind = 'settlement' AS has_settled,
            CASE WHEN b.kind = 'settlement' THEN sign(b.amount)::text
                 ELSE coalesce(b.execution_id, b.allocation_id, b.order_id, b.event_id)::text END AS matter,
            sum(b.amount) AS amount
       FROM accounts_booking b
      WHERE b.layer = 'pending' AND b.{of_booking} AND b.settlement_date <= %(day)s AND b.trade_date <= %(day)s
        AND b.settlement_date > %(day)s::date - {window}
      GROUP BY 1, 2, 3, 4, 5
), sides AS (
     SELECT account_id, what, settlement_date,
            coalesce(sum(amount) FILTER (WHERE (amount > 0) <> has_settled), 0) AS r,
            coalesce(sum(amount) FILTER (WHERE (amount < 0) <> has_settled), 0) AS v
       FROM matters WHERE amount <> 0 GROUP BY 1, 2, 3
)
SELECT account_id, what, settlement_date, greatest(r, 0) + greatest(v, 0) AS receipts, least(r, 0) + least(v, 0) AS deliveries
  FROM sides WHERE r <> 0 OR v <> 0
"""
# What was booked after the cut is laid over it; of confirmed trades only those that settled after it, the file has the others.
_SINCE = """
CREATE TEMP TABLE accounts_since ON COMMIT DROP AS
SELECT b.account_id, {named} AS what, sum(b.amount) AS amount FROM accounts_booking b
 WHERE b.layer = 'settled' AND b.{of_booking} AND b.recorded_at > %(cut_at)s
   AND (b.kind <> ALL(%(replaced)s::text[]) OR b.kind = 'settlement' AND b.event_id IN (
        SELECT p.event_id FROM accounts_statementpart p WHERE p.what = 'trades' AND p.cut_at > %(cut_at)s))
 GROUP BY 1, 2
"""
_MOVE_TABLE = """
CREATE TEMP TABLE accounts_move (account_id uuid, what {type}, balance_id bigint, settled numeric, available numeric,
    difference numeric, whole boolean, moved numeric, part int, idle boolean, again boolean, line bigint) ON COMMIT DROP
"""
# All balances are compared once, by their figures as they stand; only for those that change is anything computed. Of two rows about one
# balance the second is there ``again`` (equal rows share their rank). That a balance we have not is nothing is ``idle``: kept to see
# whether another row says otherwise.
_MOVES = """
WITH due AS (
     SELECT account_id, what, sum(receipts) AS receipts, sum(deliveries) AS deliveries FROM accounts_due GROUP BY 1, 2
), compared AS MATERIALIZED (
     SELECT *, sound AND (wanted <> settled OR (receipts <> 0 AND receipts + deliveries = 0)) AS changes
       FROM (SELECT w.account_id, w.what, b.id AS balance_id, coalesce(b.settled, 0) AS settled, {due},
                    {amount} AS wanted, b.pending - b.reserved AS beside, w.line, w.rule IS NULL AS sound
               FROM {wanted} w
               LEFT JOIN {table} b ON b.account_id = w.account_id AND {named} = w.what {joined}
             OFFSET 0) figures
), moves AS (
     SELECT account_id, what, balance_id, settled, settled + coalesce(beside, 0) AS available, wanted - settled AS difference,
            coalesce(receipts, 0) AS receipts, coalesce(deliveries, 0) AS deliveries, NOT changes AS idle, line
       FROM compared WHERE changes OR (sound AND balance_id IS NULL)
     OFFSET 0
), kept AS (
     INSERT INTO accounts_move
     SELECT account_id, what, balance_id, settled, available, difference, difference = receipts + deliveries,
            CASE WHEN difference = receipts + deliveries THEN difference
                 ELSE greatest(least(difference, receipts), deliveries) END,
            (row_number() OVER balances - 1)::int / {rows}, idle, rank() OVER balances <> row_number() OVER balances, line
       FROM moves WINDOW balances AS (ORDER BY account_id, what)
)
SELECT {group} AS grouped, count(*) FILTER (WHERE sound), sum(settled) FILTER (WHERE sound), count(*) FILTER (WHERE NOT sound),
       count(balance_id) - count(DISTINCT balance_id)
  FROM compared GROUP BY 1
"""
# On most days nothing was booked since and little is due. To look for it anyway costs a tenth of a file's comparison.
_SOME_SINCE = "LEFT JOIN accounts_since s ON s.account_id = w.account_id AND s.what = w.what"
_LAID_OVER = "CASE WHEN s.amount IS NULL THEN w.amount ELSE w.amount + s.amount END"
_SOME_DUE = "LEFT JOIN due d ON d.account_id = w.account_id AND d.what = w.what"
_MOVED = """
SELECT {group} AS grouped, count(*) FILTER (WHERE NOT idle), sum(difference), sum(moved), count(*) FILTER (WHERE again),
       count(*) FILTER (WHERE idle)
  FROM accounts_move GROUP BY 1
"""
_SETTLES = """
CREATE TEMP TABLE accounts_settle ON COMMIT DROP AS
WITH lined AS (
     SELECT m.part, m.account_id, m.what, m.whole, m.moved, d.settlement_date, d.receipts, d.deliveries,
            coalesce(sum(d.receipts) OVER before, 0) AS received, coalesce(sum(d.deliveries) OVER before, 0) AS delivered
       FROM accounts_move m JOIN accounts_due d ON d.account_id = m.account_id AND d.what = m.what
     WINDOW before AS (PARTITION BY m.account_id, m.what ORDER BY d.settlement_date
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT part, account_id, what, settlement_date, receipts AS amount FROM lined WHERE whole AND receipts <> 0
UNION ALL
SELECT part, account_id, what, settlement_date, deliveries FROM lined WHERE whole AND deliveries <> 0
UNION ALL
SELECT part, account_id, what, settlement_date,
       CASE WHEN moved > 0 THEN least(receipts, greatest(moved - received, 0))
            ELSE greatest(deliveries, least(moved - delivered, 0)) END
  FROM lined
 WHERE NOT whole AND CASE WHEN moved > 0 THEN least(receipts, greatest(moved - received, 0))
                          ELSE greatest(deliveries, least(moved - delivered, 0)) END <> 0
"""


def open_wanted(cursor: Cursor, target: Target) -> None:
    """An empty ``accounts_wanted`` for the caller to fill, until commit; what an earlier statement left is dropped."""
    cursor.execute("DROP TABLE IF EXISTS accounts_wanted, accounts_due, accounts_since, accounts_move, accounts_settle")
    cursor.execute(_WANTED.format(type=_type_of(target)))


def compute_moves(
    cursor: Cursor, target: Target, *, cut_at: datetime, day: date, query: Query | None = None
) -> Computed:
    """What the wanted figures change, now: ``accounts_move`` and ``accounts_settle``. Of a query instead of ``accounts_wanted``
    nothing may be used where one of its rows is broken or two are about one balance."""
    values = {**(query[1] if query else {}), "cut_at": cut_at, "day": day, "replaced": sorted(REPLACED)}
    names = {
        "named": target.named, "table": target.table, "of_booking": target.of_booking, "window": WINDOW_DAYS,
        "rows": ROWS_A_PART, "group": "what" if target is CASH else "'units'",
        "wanted": f"({query[0]})" if query else "(SELECT * FROM accounts_wanted WHERE rule IS NULL)",
    }  # fmt: skip
    cursor.execute("DROP TABLE IF EXISTS accounts_due, accounts_since, accounts_move, accounts_settle")
    due = _make(cursor, "accounts_due", _DUE.format(**names), values)
    since = _make(cursor, "accounts_since", _SINCE.format(**names), values)
    cursor.execute(_MOVE_TABLE.format(type=_type_of(target)))
    laid = {
        "due": "d.receipts, d.deliveries" if due else "0::numeric AS receipts, 0::numeric AS deliveries",
        "amount": _LAID_OVER if since else "w.amount",
        "joined": f"{_SOME_DUE if due else ''} {_SOME_SINCE if since else ''}",
    }
    cursor.execute(_MOVES.format(**names, **laid), values)
    compared = cursor.fetchall()
    cursor.execute("CREATE INDEX ON accounts_move (part)")
    cursor.execute("ANALYZE accounts_move")
    cursor.execute(_MOVED.format(**names))
    moved = {str(grouped): figures for grouped, *figures in cursor.fetchall()}
    if any(figures[-1] for figures in moved.values()):
        cursor.execute("DELETE FROM accounts_move WHERE idle")
    cursor.execute(_SETTLES)
    return _computed(compared, moved)


def _make(cursor: Cursor, table: str, sql: LiteralString, values: Mapping[str, object]) -> bool:
    """Whether anything is in it."""
    cursor.execute(sql, values)
    made = cursor.rowcount > 0
    if made:
        cursor.execute(f"ANALYZE {table}")
    return made


def _computed(compared: Iterable[tuple[Any, ...]], moved: Mapping[str, Sequence[Any]]) -> Computed:
    """All balances and those that change, put together by what they are grouped by."""
    sums, broken, twice = [], 0, 0
    for grouped, balances, settled, not_sound, said_again in compared:
        changed, difference, moves, again, _idle = moved.get(grouped, (0, Decimal(0), Decimal(0), 0, 0))
        broken, twice = broken + not_sound, twice + said_again + again
        if balances:
            sums.append(Sums(grouped, balances, changed, settled, difference, moves))
    return Computed(sorted(sums), broken, twice)


def _type_of(target: Target) -> str:
    return "varchar(3)" if target is CASH else "uuid"
