"""Allocated trades and settlement instructions of a file against ours: what agrees by name and figure is counted in SQL, the rest judged.

An allocation counts on its trade date from when it was told (a direct trade from its first execution), an instruction from its
settlement date until the day it is over. A source that is the counterparty of blocks speaks of those alone. Canary accounts are
nobody's, parked shares nobody's yet.
"""

from __future__ import annotations

from typing import Any

from reconciliation.domain.post_trade_matching import Record, judge_post_trade
from reconciliation.matching.comparing import MOST_JUDGED, Compared, Rows, Task, in_failed_transaction
from reconciliation.matching.names import find_accounts, find_instruments, load_alternates

_OF_SOURCE = """
 (b.session_group = %(source)s OR NOT EXISTS (SELECT FROM allocations_block o WHERE o.session_group = %(source)s))
 AND (%(markets)s::text[] = '{}' OR l.market_id = ANY(%(markets)s) OR b.session_group = %(source)s)
"""
_ALLOCATIONS = f"""
CREATE TEMP TABLE recon_ours AS
SELECT 'A-' || a.number AS ref, c.ref AS other_ref, t.code AS account, a.account_id, b.instrument_id, n.isin, a.side, a.trade_date,
       a.settlement_date, b.currency, coalesce(c.state, '') AS status, f.order_id,
       a.qty, round(a.avg_px, 8) AS avg_px, abs(a.gross) AS gross, abs(a.net) AS net,
       coalesce((SELECT sum((x ->> 3)::numeric) FROM jsonb_array_elements(a.charges) x WHERE x ->> 0 = 'commission'), 0) AS commission,
       coalesce((SELECT sum((x ->> 3)::numeric) FROM jsonb_array_elements(a.charges) x WHERE x ->> 0 <> 'commission'), 0) AS fees
  FROM allocations_allocation a
  JOIN allocations_block b ON b.id = a.block_id JOIN refdata_listing l ON l.id = b.listing_id
  JOIN accounts_tradingaccount t ON t.id = a.account_id JOIN refdata_instrument n ON n.id = b.instrument_id
  LEFT JOIN allocations_confirmation c ON c.allocation_id = a.id AND c.state <> 'canceled'
  LEFT JOIN LATERAL (SELECT order_id FROM allocations_blockfill f WHERE f.block_id = b.id ORDER BY execution_id LIMIT 1) f ON true
 WHERE a.state = 'booked' AND NOT a.is_rounding AND a.trade_date = %(as_of)s
   AND (%(cut)s::timestamptz IS NULL OR CASE b.kind WHEN 'direct' THEN b.created_at ELSE a.booked_at END <= %(cut)s)
   AND NOT EXISTS (SELECT FROM accounts_canaryaccount k WHERE k.account_id = a.account_id) AND {_OF_SOURCE}
"""  # noqa: S608
_SETTLEMENTS = """
CREATE TEMP TABLE recon_ours AS
SELECT i.ref, 'A-' || a.number AS other_ref, t.code AS account, i.account_id, i.instrument_id, n.isin, a.side, i.trade_date,
       i.settlement_date, i.currency, i.state AS status, NULL::uuid AS order_id, i.qty, i.amount, i.settled_qty
  FROM allocations_settlementinstruction i JOIN allocations_allocation a ON a.id = i.allocation_id
  JOIN accounts_tradingaccount t ON t.id = i.account_id JOIN refdata_instrument n ON n.id = i.instrument_id
 WHERE i.state NOT IN ('canceled', 'waiting') AND i.settlement_date <= %(as_of)s
   AND (i.settled_at IS NULL OR i.settled_at >= %(as_of)s::date)
   AND (%(cut)s::timestamptz IS NULL OR i.instructed_at <= %(cut)s)
"""
_FIGURES = {
    "allocations": ("qty", "avg_px", "gross", "commission", "fees", "net"),
    "settlements": ("qty", "amount", "settled_qty"),
}
_OURS = {"allocations": _ALLOCATIONS, "settlements": _SETTLEMENTS}
_WORDS = {"allocations": "allocation", "settlements": "settlement"}

# Equal by our own name in everything that is said, and named once: nobody needs to look at it again.
_EQUAL = """
CREATE TEMP TABLE recon_equal AS
SELECT o.ref, min(s.line) AS line
  FROM {table} s JOIN recon_ours o ON s.our_ref IN (o.ref, o.other_ref)
 WHERE s.account = o.account AND coalesce(s.isin, o.isin) = o.isin AND s.symbol IS NULL AND s.side = o.side
   AND coalesce(s.trade_date, o.trade_date) = o.trade_date
   AND coalesce(s.settlement_date, o.settlement_date) = o.settlement_date AND coalesce(s.currency, o.currency) = o.currency
   AND (s.status IS NULL OR s.status = o.status) AND {figures}
 GROUP BY o.ref
HAVING count(*) = 1 AND NOT EXISTS (SELECT FROM {table} d JOIN recon_ours p ON d.our_ref IN (p.ref, p.other_ref)
                                     WHERE p.ref = o.ref AND d.line <> min(s.line))
"""
_SPOKEN_OF = "DELETE FROM recon_ours WHERE account NOT IN (SELECT account FROM {table})"
_COUNTS = """
SELECT (SELECT count(*) FROM recon_ours), (SELECT count(*) FROM {table}), (SELECT count(*) FROM recon_equal)
"""
_LEFT = "SELECT * FROM recon_ours WHERE ref NOT IN (SELECT ref FROM recon_equal) ORDER BY ref"
_THEIRS = "SELECT * FROM {table} WHERE line NOT IN (SELECT line FROM recon_equal) ORDER BY line"


def compare_allocations(cursor: Any, task: Task) -> Compared:
    """What a counterparty says of allocated and confirmed trades of the day."""
    return _compare(cursor, task, "allocations")


def compare_settlements(cursor: Any, task: Task) -> Compared:
    """What a custodian says of instructions that were open on the day or came to their end on it."""
    return _compare(cursor, task, "settlements")


def _compare(cursor: Any, task: Task, kind: str) -> Compared:
    cut = task.cut_at if task.cut_at is not None and task.cut_at.date() == task.as_of else None
    given = {"as_of": task.as_of, "cut": cut, "source": task.source, "markets": list(task.markets)}
    figures = " AND ".join(f"coalesce(s.{name}, o.{name}) = o.{name}" for name in _FIGURES[kind])
    cursor.execute(_OURS[kind], given)
    try:
        if task.partial:
            cursor.execute(_SPOKEN_OF.format(table=task.table))
        cursor.execute("ANALYZE recon_ours")
        cursor.execute(_EQUAL.format(table=task.table, figures=figures))
        cursor.execute(_COUNTS.format(table=task.table))
        internal, external, equal = cursor.fetchone()
        if max(internal, external) - equal > MOST_JUDGED:
            return Compared(internal, external, equal, unjudged=max(internal, external) - equal)
        ours = _ours(cursor, kind)
        theirs = _theirs(cursor, task, kind)
        judged = judge_post_trade(ours, theirs, what=_WORDS[kind], rules=task.rules)
        only = {"account": frozenset(one.account for one in theirs)} if task.partial else {}
        return Compared(internal, external, equal + judged.matched, judged.findings, only=only)
    finally:
        if not in_failed_transaction(cursor):
            cursor.execute("DROP TABLE IF EXISTS recon_ours, recon_equal")


def _ours(cursor: Any, kind: str) -> list[Record]:
    cursor.execute(_LEFT)
    return [
        Record(
            ref=row["ref"],
            account=row["account"],
            instrument=row["isin"],
            side=row["side"],
            trade_date=row["trade_date"],
            settlement_date=row["settlement_date"],
            currency=row["currency"],
            status=row["status"],
            figures={name: row[name] for name in _FIGURES[kind]},
            names=frozenset(name for name in (row["ref"], row["other_ref"]) if name),
            account_id=row["account_id"],
            instrument_id=row["instrument_id"],
            order_id=row["order_id"],
        )
        for row in Rows(cursor).dicts()
    ]


def _theirs(cursor: Any, task: Task, kind: str) -> list[Record]:
    cursor.execute(_THEIRS.format(table=task.table))
    rows = Rows(cursor).dicts()
    alternates = load_alternates(cursor, task.source)
    accounts = find_accounts(cursor, {row["account"] for row in rows}, alternates)
    wanted = {row["line"]: (row["isin"] or "", row["symbol"] or "", row["mic"] or "") for row in rows}
    instruments = find_instruments(cursor, wanted.values(), alternates, task.as_of)
    found = []
    for row in rows:
        named = instruments.get(wanted[row["line"]])
        account_id = accounts.get(row["account"])
        found.append(
            Record(
                ref=row["their_ref"] or row["our_ref"] or f"line {row['line']}",
                account=row["account"],
                instrument=named.isin if named else " ".join(filter(None, wanted[row["line"]])),
                side=row["side"],
                trade_date=row["trade_date"] or task.as_of,
                settlement_date=row["settlement_date"],
                currency=row["currency"] or "",
                status=row["status"] or "",
                figures={name: row[name] for name in _FIGURES[kind] if row[name] is not None},
                names=frozenset(filter(None, [row["our_ref"]])),
                line=row["line"],
                account_id=account_id,
                instrument_id=named.instrument_id if named else None,
            )
        )
    return found
