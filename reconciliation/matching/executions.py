"""Executions of a file against ours: one full join finds what does not agree at first sight, the rest is judged by names.

The join is on ExecID and the name of the order that the file gives most often. Where a record was met twice by that name,
all that met it are judged one by one, so that no repetition is ever dropped. A field the file leaves empty differs
from nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from reconciliation.domain.trade_matching import judge_trades
from reconciliation.domain.trade_records import TheirTrade, tell
from reconciliation.matching.causes import load_causes
from reconciliation.matching.comparing import MOST_JUDGED, Compared, Task, in_failed_transaction
from reconciliation.matching.trade_rows import load_our_trades, load_their_trades, load_unknown_trades

_OURS = """
SELECT x.id, x.exec_id, x.cl_ord_id, o.venue_order_id, x.side, x.effective_qty, x.effective_px, x.event_at, x.trade_date,
       x.settlement_date, l.symbol, l.venue_symbol, l.market_id AS mic, l.currency, n.isin, a.code AS account, m.time_zone{figures}
  FROM orders_execution x
  JOIN orders_order o ON o.id = x.order_id
  JOIN refdata_listing l ON l.id = o.listing_id
  JOIN refdata_instrument n ON n.id = l.instrument_id
  JOIN refdata_market m ON m.mic = l.market_id
  JOIN accounts_tradingaccount a ON a.id = o.account_id {charges}
 WHERE x.trade_date = %(as_of)s AND (%(markets)s::text[] IS NULL OR l.market_id = ANY(%(markets)s))
"""
_CHARGES = """
  LEFT JOIN LATERAL (
    SELECT coalesce(-sum(b.amount) FILTER (WHERE b.kind = 'commission'), 0) AS commission,
           coalesce(-sum(b.amount) FILTER (WHERE b.kind IN ('fee', 'tax')), 0) AS fees
      FROM accounts_booking b WHERE b.order_id = x.order_id AND b.execution_id = x.id) c ON true
"""
# What a row says against ours; a fragment is used only where the file says something in that column at all.
_AGREES = {
    "cl_ord_id": "e.cl_ord_id = x.cl_ord_id",
    "venue_order_id": "e.venue_order_id = x.venue_order_id",
    "side": "e.side = x.side",
    "isin": "e.isin = x.isin",
    "symbol": "e.symbol IN (x.symbol, x.venue_symbol)",
    "mic": "e.mic = x.mic",
    "account": "e.account = x.account",
    "currency": "e.currency = x.currency",
    "settlement_date": "e.settlement_date = x.settlement_date",
    "transact_time": "e.transact_time BETWEEN x.event_at - %(apart)s::interval AND x.event_at + %(apart)s::interval",
    "commission": "e.commission = x.commission",
    "fees": "e.fees = x.fees",
}
_DATED = "coalesce(e.trade_date, (e.transact_time AT TIME ZONE x.time_zone)::date) = x.trade_date"
_ALWAYS = ("e.exec_type = 'trade'", "e.last_qty = x.effective_qty", "e.last_px = x.effective_px")
_COLUMNS = (*_AGREES, "trade_date")
_ORDER_NAMES = ("cl_ord_id", "venue_order_id")
_COUNT = """
SELECT count(*), coalesce(sum(x.effective_qty), 0) FROM orders_execution x
 WHERE x.trade_date = %(as_of)s AND (%(cut)s::timestamptz IS NULL OR x.event_at <= %(cut)s)
   AND (%(markets)s::text[] IS NULL OR EXISTS (
        SELECT FROM orders_order o JOIN refdata_listing l ON l.id = o.listing_id
         WHERE o.id = x.order_id AND l.market_id = ANY(%(markets)s)))
"""


def compare(cursor: Any, task: Task) -> Compared:
    """All the file says of executions against all we have of its day. Makes and drops tables of the session."""
    said = _columns_said(cursor, task)
    name = max(_ORDER_NAMES, key=lambda column: said[column])
    name = name if said[name] * 2 > said["line"] else ""
    parameters = {
        "as_of": task.as_of,
        "markets": list(task.markets) or None,
        "cut": task.cut_at,
        "apart": f"{task.rules.of('seconds')} seconds",
    }
    cursor.execute(_COUNT, parameters)
    expected, units = cursor.fetchone()
    cursor.execute("CREATE TEMP TABLE recon_lines (line bigint)")
    cursor.execute("CREATE TEMP TABLE recon_ids (id uuid)")
    try:
        _look(cursor, task, said, name, parameters)
        if said["versions"]:
            _gather_versions(cursor, task, name, parameters)
        return _judge(cursor, task, external=said["line"], expected=expected, units=units)
    finally:
        if not in_failed_transaction(cursor):
            cursor.execute("DROP TABLE IF EXISTS recon_lines, recon_ids")


def _columns_said(cursor: Any, task: Task) -> dict[str, int]:
    """In how many rows each column says something; ``versions``: how many are busts and corrections."""
    names = ["line", *_COLUMNS]
    counts = ", ".join(f"count({name})" for name in names)
    cursor.execute(f"SELECT {counts}, count(*) FILTER (WHERE exec_type <> 'trade') FROM {task.table}")  # noqa: S608
    return dict(zip([*names, "versions"], cursor.fetchone(), strict=True))


def _look(cursor: Any, task: Task, said: dict[str, int], name: str, parameters: dict[str, Any]) -> None:
    """Keep what does not agree at first sight, and every pair of a line or record that was met more than once."""
    told = [text for column, text in _AGREES.items() if said[column] and column != name]
    if said["trade_date"] or said["transact_time"]:
        told.append(_DATED)
    agrees = " AND ".join([*_ALWAYS, *(f"coalesce({text}, true)" for text in told)])
    priced = bool(said["commission"] or said["fees"])
    ours = _OURS.format(charges=_CHARGES if priced else "", figures=", c.commission, c.fees" if priced else "")
    cursor.execute(
        f"""
        WITH j AS MATERIALIZED (
            SELECT e.line, x.id, ({agrees}) IS TRUE AS agrees FROM {task.table} e FULL JOIN ({ours}) x ON {_on(name)}
        ), doubtful AS MATERIALIZED (
            SELECT line, id FROM j WHERE NOT agrees
            UNION ALL SELECT j.line, j.id FROM j
                       WHERE line IN (SELECT line FROM j WHERE id IS NOT NULL GROUP BY line HAVING count(*) > 1)
            UNION ALL SELECT j.line, j.id FROM j
                       WHERE id IN (SELECT id FROM j WHERE line IS NOT NULL GROUP BY id HAVING count(*) > 1)
        ), lines AS (
            INSERT INTO recon_lines SELECT DISTINCT line FROM doubtful WHERE line IS NOT NULL
        )
        INSERT INTO recon_ids SELECT DISTINCT id FROM doubtful WHERE id IS NOT NULL
        """,  # noqa: S608
        parameters,
    )


def _on(name: str) -> str:
    return "e.exec_id = x.exec_id" + (f" AND e.{name} = x.{name}" if name else "")


def _gather_versions(cursor: Any, task: Task, name: str, parameters: dict[str, Any]) -> None:
    """The trades that busts and corrections of the file are about, and ours that these joined."""
    cursor.execute(
        f"""
        INSERT INTO recon_lines SELECT e.line FROM {task.table} e
         WHERE e.exec_id IN (SELECT coalesce(v.exec_ref_id, v.exec_id) FROM {task.table} v WHERE v.exec_type <> 'trade')
        """  # noqa: S608
    )
    ours = _OURS.format(charges="", figures="")
    cursor.execute(
        f"""
        INSERT INTO recon_ids SELECT x.id FROM ({ours}) x
          JOIN (SELECT e.* FROM {task.table} e WHERE e.line IN (SELECT line FROM recon_lines)) e ON {_on(name)}
        """,  # noqa: S608
        parameters,
    )


def _judge(cursor: Any, task: Task, *, external: int, expected: int, units: Decimal) -> Compared:
    cursor.execute("SELECT (SELECT count(DISTINCT line) FROM recon_lines), (SELECT count(DISTINCT id) FROM recon_ids)")
    lines, ids = cursor.fetchone()
    if max(lines, ids) > MOST_JUDGED:
        return Compared(expected, external, max(expected - ids, 0), unjudged=max(lines, ids))
    theirs = load_their_trades(cursor, task)
    ours = load_our_trades(cursor, task, theirs)
    unknown = load_unknown_trades(cursor, task)
    judged = judge_trades([*ours, *unknown], theirs, rules=task.rules, causes=load_causes(cursor, task))
    doubtful = sum(one.expected and not one.agreed for one in ours)
    internal = expected + sum(one.expected for one in unknown) + judged.beyond
    sums = {"qty": (units + sum(one.qty for one in unknown if one.expected), _their_units(cursor, task, theirs))}
    return Compared(internal, external, expected - doubtful + judged.matched, judged.findings, sums=sums)


def _their_units(cursor: Any, task: Task, judged: Sequence[TheirTrade]) -> Decimal:
    """What the file comes to once its busts and corrections are applied; these and their trades are among the judged."""
    cursor.execute(
        f"SELECT coalesce(sum(e.last_qty), 0) FROM {task.table} e WHERE e.exec_type = 'trade' "  # noqa: S608
        "AND NOT EXISTS (SELECT FROM recon_lines j WHERE j.line = e.line)"
    )
    (plainly,) = cursor.fetchone()
    return sum((one.qty for one in tell(judged)), Decimal(plainly))
