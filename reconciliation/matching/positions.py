"""Positions of a file against ours: bookings summed as of the day, joined in full; what does not agree is judged.

Settled is the settled layer, traded all layers less what is short, both by trades and bookings dated up to the day. Of the day
of the cut itself, what happened after it does not count. Canary accounts are nobody's; suspense accounts are ours alone.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from reconciliation.domain.position_matching import (
    SETTLED,
    ActionNear,
    OurPosition,
    TheirPosition,
    judge_positions,
)
from reconciliation.matching.comparing import MOST_JUDGED, Compared, Rows, Task, in_failed_transaction
from reconciliation.matching.names import find_accounts, find_instruments, load_alternates

NEAR = timedelta(days=10)

_BOOKED = """
CREATE TEMP TABLE recon_ours AS
SELECT b.account_id, b.instrument_id, coalesce(sum(b.amount) FILTER (WHERE b.layer = 'settled'), 0) AS settled,
       coalesce(sum(CASE WHEN b.layer = 'short' THEN -b.amount ELSE b.amount END)
                FILTER (WHERE b.layer <> 'settled' AND b.settlement_date <= %(as_of)s), 0) AS due,
       sum(CASE WHEN b.layer = 'short' THEN -b.amount ELSE b.amount END) AS traded
  FROM accounts_booking b
  LEFT JOIN orders_execution x ON %(cut)s::timestamptz IS NOT NULL AND b.trade_date = %(as_of)s AND x.id = b.execution_id
 WHERE b.instrument_id IS NOT NULL AND b.trade_date <= %(as_of)s
   AND (%(cut)s::timestamptz IS NULL OR b.trade_date < %(as_of)s OR coalesce(x.event_at, b.recorded_at) <= %(cut)s)
   AND NOT EXISTS (SELECT FROM accounts_canaryaccount c WHERE c.account_id = b.account_id)
 GROUP BY b.account_id, b.instrument_id
"""
_LOOK = """
WITH e AS (
    SELECT a.id AS account_id, n.id AS instrument_id, s.basis, sum(s.qty) AS qty, bool_and(coalesce(s.as_of = %(as_of)s, true)) AS dated
      FROM {table} s
      JOIN accounts_tradingaccount a ON a.code = s.account
      JOIN refdata_instrument n ON n.isin = s.isin
     GROUP BY a.id, n.id, s.basis
), equal AS MATERIALIZED (
    SELECT e.account_id, e.instrument_id, e.basis
      FROM e JOIN recon_ours x USING (account_id, instrument_id)
     WHERE e.dated AND e.qty = CASE e.basis WHEN 'traded' THEN x.traded ELSE x.settled END
), lines AS (
    INSERT INTO recon_lines
    SELECT s.line FROM {table} s
      LEFT JOIN accounts_tradingaccount a ON a.code = s.account
      LEFT JOIN refdata_instrument n ON n.isin = s.isin
      LEFT JOIN equal q ON q.account_id = a.id AND q.instrument_id = n.id AND q.basis = s.basis
     WHERE q.account_id IS NULL
)
SELECT (SELECT count(*) FROM equal q JOIN recon_ours x USING (account_id, instrument_id)
         WHERE CASE q.basis WHEN 'traded' THEN x.traded ELSE x.settled END <> 0),
       ARRAY(SELECT DISTINCT basis FROM {table} ORDER BY basis)
"""
_MISSED = """
INSERT INTO recon_keys
SELECT x.account_id, x.instrument_id FROM recon_ours x CROSS JOIN unnest(%(bases)s::text[]) AS w(basis)
 WHERE CASE w.basis WHEN 'traded' THEN x.traded ELSE x.settled END <> 0
   AND NOT EXISTS (SELECT FROM {table} s JOIN accounts_tradingaccount a ON a.code = s.account
                    JOIN refdata_instrument n ON n.isin = s.isin
                   WHERE a.id = x.account_id AND n.id = x.instrument_id AND s.basis = w.basis)
"""
_SPOKEN_OF = """
DELETE FROM recon_ours WHERE account_id NOT IN (
    SELECT a.id FROM {table} s JOIN accounts_tradingaccount a ON a.code = s.account)
"""
_THEIRS = """
SELECT line, account, isin, symbol, mic, qty, basis, as_of FROM {table}
 WHERE line IN (SELECT line FROM recon_lines) ORDER BY line
"""
_OURS = """
SELECT x.account_id, a.code AS account, x.instrument_id, n.isin, x.settled, x.due, x.traded, p.price, p.currency,
       EXISTS (SELECT FROM accounts_suspenseaccount u WHERE u.account_id = x.account_id) AS suspense
  FROM recon_ours x
  JOIN accounts_tradingaccount a ON a.id = x.account_id
  JOIN refdata_instrument n ON n.id = x.instrument_id
  LEFT JOIN LATERAL (
    SELECT r.last / l.price_divisor AS price, l.currency FROM refdata_listing l JOIN refdata_referenceprice r ON r.listing_id = l.id
     WHERE l.instrument_id = x.instrument_id ORDER BY l.symbol LIMIT 1) p ON true
 WHERE (x.account_id, x.instrument_id) IN (
    SELECT account_id, instrument_id FROM recon_keys UNION SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
"""
_ACTIONS = """
SELECT c.instrument_id, c.source || ' ' || c.reference, c.ex_date, v.terms ->> 'ratio_new', v.terms ->> 'ratio_old', c.state
  FROM refdata_corporateaction c JOIN refdata_corporateactionversion v ON v.action_id = c.id AND v.number = c.version
 WHERE c.instrument_id = ANY(%s::uuid[]) AND c.ex_date BETWEEN %s AND %s AND c.kind IN ('split', 'reverse_split')
   AND c.state <> 'canceled' ORDER BY c.ex_date, c.id
"""
_COUNT = "SELECT count(*) FILTER (WHERE settled <> 0), count(*) FILTER (WHERE traded <> 0) FROM recon_ours"


def compare(cursor: Any, task: Task) -> Compared:
    """All the file says of positions against all of ours. Makes and drops tables of the session."""
    parameters = {"as_of": task.as_of, "cut": _cut(task)}
    cursor.execute(f"SELECT count(*) FROM {task.table}")  # noqa: S608
    (external,) = cursor.fetchone()
    cursor.execute(_BOOKED, parameters)
    cursor.execute("CREATE TEMP TABLE recon_lines (line bigint)")
    cursor.execute("CREATE TEMP TABLE recon_keys (account_id uuid, instrument_id uuid)")
    try:
        if task.partial:
            cursor.execute(_SPOKEN_OF.format(table=task.table))
        cursor.execute("ANALYZE recon_ours")
        cursor.execute(_LOOK.format(table=task.table), parameters)
        matched, bases = cursor.fetchone()
        bases = bases or [SETTLED]
        cursor.execute(_MISSED.format(table=task.table), {"bases": bases})
        cursor.execute(_COUNT)
        counts = dict(zip(("settled", "traded"), cursor.fetchone(), strict=True))
        internal = sum(counts[basis] for basis in bases)
        cursor.execute("SELECT (SELECT count(*) FROM recon_lines), (SELECT count(*) FROM recon_keys)")
        lines, keys = cursor.fetchone()
        if max(lines, keys) > MOST_JUDGED:
            return Compared(internal, external, matched, unjudged=max(lines, keys))
        theirs = _load_theirs(cursor, task)
        ours = _load_ours(cursor, theirs)
        actions = _load_actions(cursor, {one.instrument_id for one in ours}, task.as_of)
        judged = judge_positions(ours, theirs, as_of=task.as_of, bases=bases, rules=task.rules, actions=actions)
        only = {"basis": frozenset(bases)}
        if task.partial:
            only["account"] = frozenset(_accounts(cursor, task))
        sums = _sums(cursor, task)
        return Compared(internal, external, matched + judged.matched, judged.findings, only=only, sums=sums)
    finally:
        if not in_failed_transaction(cursor):
            cursor.execute("DROP TABLE IF EXISTS recon_ours, recon_lines, recon_keys")


def _sums(cursor: Any, task: Task) -> dict[str, tuple[Decimal, Decimal]]:
    """Units of both sides by the bases that the file speaks of."""
    cursor.execute("SELECT coalesce(sum(settled), 0), coalesce(sum(traded), 0) FROM recon_ours")
    ours = dict(zip(("settled", "traded"), cursor.fetchone(), strict=True))
    cursor.execute(f"SELECT basis, sum(qty) FROM {task.table} GROUP BY basis ORDER BY basis")  # noqa: S608
    return {basis: (ours[basis], units) for basis, units in cursor.fetchall()}


def _cut(task: Task) -> Any:
    """A cut counts on the day it is of; one of the next morning means the whole day."""
    return task.cut_at if task.cut_at is not None and task.cut_at.date() == task.as_of else None


def _accounts(cursor: Any, task: Task) -> list[str]:
    cursor.execute(f"SELECT DISTINCT account FROM {task.table}")  # noqa: S608
    return [row[0] for row in cursor.fetchall()]


def _load_theirs(cursor: Any, task: Task) -> list[TheirPosition]:
    cursor.execute(_THEIRS.format(table=task.table))
    rows = Rows(cursor).dicts()
    alternates = load_alternates(cursor, task.source)
    accounts = find_accounts(cursor, {row["account"] for row in rows}, alternates)
    wanted = {(row["isin"] or "", row["symbol"] or "", row["mic"] or "") for row in rows}
    instruments = find_instruments(cursor, wanted, alternates, task.as_of)
    found = []
    for row in rows:
        names = (row["isin"] or "", row["symbol"] or "", row["mic"] or "")
        instrument = instruments.get(names)
        found.append(
            TheirPosition(
                line=row["line"],
                account=row["account"],
                instrument=" ".join(name for name in names if name),
                qty=row["qty"],
                basis=row["basis"],
                account_id=accounts.get(row["account"]),
                instrument_id=instrument.instrument_id if instrument else None,
                isin=instrument.isin if instrument else names[0],
                as_of=row["as_of"],
            )
        )
    return found


def _load_ours(cursor: Any, theirs: list[TheirPosition]) -> list[OurPosition]:
    named = sorted({(row.account_id, row.instrument_id) for row in theirs if row.account_id and row.instrument_id})
    cursor.execute(_OURS, [[account for account, _ in named], [instrument for _, instrument in named]])
    return [
        OurPosition(
            account_id=row["account_id"],
            account=row["account"],
            instrument_id=row["instrument_id"],
            isin=row["isin"],
            settled=row["settled"],
            due=row["due"],
            traded=row["traded"],
            price=row["price"],
            currency=row["currency"] or "",
            note="It is a suspense account: what lies there is nobody's yet." if row["suspense"] else "",
        )
        for row in Rows(cursor).dicts()
    ]


def _load_actions(cursor: Any, instruments: set[UUID], day: date) -> dict[UUID, list[ActionNear]]:
    cursor.execute(_ACTIONS, [sorted(instruments), day - NEAR, day + NEAR])
    found: dict[UUID, list[ActionNear]] = {}
    for instrument_id, name, ex_date, new, old, state in cursor.fetchall():
        if new and old:
            booked = state in ("ex_applied", "paying", "applied")
            found.setdefault(instrument_id, []).append(ActionNear(name, ex_date, Decimal(new) / Decimal(old), booked))
    return found
