"""Positions as fills make them, beside what is booked and what custodians and brokers report, by source and basis.

From fills: every execution of up to the day as it stands, and every booking that no fill explains (openings, deposits,
statements, corporate actions, suspense); on the settled basis what was due by the day. Reported is what the source's newest file
of the day says: where its comparison found no break, that is what was booked then.
"""

from __future__ import annotations

from reconciliation.reports.report import BATCH, DATE, LATEST_RUNS, Column, Report, Shape

WORDS = {
    "equal": "Fills come to what is reported",
    "differs": "Fills and booked units come to something else than is reported",
    "fills_differ": "What is booked is reported, and fills come to something else (what was due is not settled yet)",
    "missing_external": "They do not report the position",
    "missing_internal": "They report a position that we have no record of",
    "changed_since": "Something was booked after the comparison",
    "not_named": "The statement does not speak of the account",
    "not_compared": "No report of positions was compared",
}
_GROUPS = "(%(groups)s::bigint[] IS NULL OR a.group_id = ANY(%(groups)s::bigint[]))"
STATEMENT = f"""
WITH runs AS ({LATEST_RUNS.format(kind="'positions'")}), said AS (
    SELECT r.id, r.source, r.started_at, r.file, k.basis, u.of_accounts
      FROM runs r JOIN reconciliation_run u ON u.id = r.id
     CROSS JOIN LATERAL (SELECT jsonb_object_keys(r.sums) AS basis) k
    UNION ALL
    SELECT NULL, '', NULL, '', 'traded', NULL WHERE NOT EXISTS (SELECT FROM runs)
), accounts AS MATERIALIZED (
    SELECT a.id, a.code FROM accounts_tradingaccount a
     WHERE {_GROUPS} AND NOT EXISTS (SELECT FROM accounts_canaryaccount c WHERE c.account_id = a.id)
), parts AS (
    SELECT b.account_id, b.instrument_id, b.recorded_at, b.settlement_date <= %(day)s AS due,
           CASE WHEN b.layer = 'short' THEN -b.amount ELSE b.amount END AS traded,
           CASE WHEN b.layer = 'settled' THEN b.amount ELSE 0 END AS settled,
           CASE WHEN b.kind IN ('trade', 'bust', 'correction') AND b.execution_id IS NOT NULL THEN 0
                WHEN b.layer = 'short' THEN -b.amount ELSE b.amount END AS filled
      FROM accounts_booking b JOIN accounts a ON a.id = b.account_id
     WHERE b.instrument_id IS NOT NULL AND b.trade_date <= %(day)s
    UNION ALL
    SELECT o.account_id, l.instrument_id, x.recorded_at, x.settlement_date <= %(day)s, 0, 0,
           CASE WHEN x.side = '1' THEN x.effective_qty ELSE -x.effective_qty END
      FROM orders_execution x JOIN orders_order o ON o.id = x.order_id JOIN accounts a ON a.id = o.account_id
      JOIN refdata_listing l ON l.id = o.listing_id
     WHERE x.trade_date <= %(day)s
), ours AS (
    SELECT account_id, instrument_id, max(recorded_at) AS last_at, sum(traded) AS traded, sum(settled) AS settled,
           sum(filled) AS filled, coalesce(sum(filled) FILTER (WHERE due), 0) AS filled_due
      FROM parts GROUP BY account_id, instrument_id
), found AS (
    SELECT b.id, b.category, b.account_id, b.instrument_id, b.ids, b.number, b.state, b.why, b.theirs, s.run_id,
           b.ids ->> 'basis' AS basis, coalesce((SELECT (d ->> 'theirs')::numeric FROM jsonb_array_elements(b.differences) d
             WHERE d ->> 'field' = 'qty' LIMIT 1), (b.theirs ->> 'qty')::numeric) AS qty
      FROM runs r JOIN reconciliation_runbreak s ON s.run_id = r.id AND s.word <> 'closed'
      JOIN reconciliation_break b ON b.id = s.item_id
), rows AS (
    SELECT s.*, x.account_id, x.instrument_id, x.last_at, b.category, b.number, b.state, b.why,
           CASE s.basis WHEN 'traded' THEN x.traded ELSE x.settled END AS booked,
           CASE s.basis WHEN 'traded' THEN x.filled ELSE x.filled_due END AS filled,
           CASE WHEN b.category = 'missing_external' THEN NULL WHEN b.id IS NOT NULL THEN b.qty
                WHEN s.id IS NULL OR x.last_at > s.started_at
                     OR (s.of_accounts IS NOT NULL AND NOT s.of_accounts ? a.code) THEN NULL
                WHEN s.basis = 'traded' THEN x.traded ELSE x.settled END AS reported,
           s.of_accounts IS NOT NULL AND NOT s.of_accounts ? a.code AS unnamed, a.code
      FROM ours x JOIN accounts a ON a.id = x.account_id CROSS JOIN said s
      LEFT JOIN found b ON b.run_id = s.id AND b.account_id = x.account_id AND b.instrument_id = x.instrument_id AND b.basis = s.basis
)
SELECT CASE WHEN w.id IS NULL THEN 'not_compared' WHEN w.category = 'missing_external' THEN 'missing_external'
            WHEN w.category IS NULL AND w.unnamed THEN 'not_named'
            WHEN w.category IS NULL AND w.last_at > w.started_at THEN 'changed_since'
            WHEN w.filled = w.reported THEN 'equal' WHEN w.booked = w.reported THEN 'fills_differ' ELSE 'differs' END,
       w.source, w.basis, w.code, n.isin, n.name, w.filled, w.booked, w.reported, w.reported - w.filled, coalesce(w.why, ''),
       'BRK-' || lpad(w.number::text, 6, '0'), coalesce(w.state, ''), w.file, coalesce(w.id::text, ''),
       w.account_id::text || ':' || w.instrument_id::text
  FROM rows w JOIN refdata_instrument n ON n.id = w.instrument_id
 WHERE w.filled <> 0 OR w.booked <> 0 OR w.category IS NOT NULL
UNION ALL
SELECT 'missing_internal', r.source, b.basis, coalesce(a.code, b.ids ->> 'account'), coalesce(n.isin, b.ids ->> 'isin', ''),
       coalesce(n.name, b.ids ->> 'instrument', ''), 0, 0, b.qty, b.qty, b.why, 'BRK-' || lpad(b.number::text, 6, '0'), b.state, r.file,
       r.id::text, b.id::text
  FROM found b JOIN runs r ON r.id = b.run_id
  LEFT JOIN accounts_tradingaccount a ON a.id = b.account_id LEFT JOIN refdata_instrument n ON n.id = b.instrument_id
 WHERE NOT EXISTS (SELECT FROM ours x WHERE x.account_id = b.account_id AND x.instrument_id = b.instrument_id)
   AND CASE WHEN b.account_id IS NULL THEN %(totals)s::boolean ELSE {_GROUPS} END
"""  # noqa: S608
REPORT = Report(
    name="positions",
    title="Positions from fills against reported",
    question="Do the positions that our fills make equal those that custodians and brokers report?",
    words=WORDS,
    columns=(
        Column("word", "Outcome", Shape.WORD),
        Column("source", "Source"),
        Column("basis", "Basis"),
        Column("account", "Account"),
        Column("isin", "ISIN"),
        Column("instrument", "Instrument"),
        Column("from_fills", "From fills", Shape.NUMBER),
        Column("booked", "Booked", Shape.NUMBER),
        Column("reported", "Reported", Shape.NUMBER),
        Column("difference", "Difference", Shape.NUMBER),
        Column("why", "Why", Shape.SENTENCE),
        Column("break", "Break", Shape.BREAK),
        Column("break_state", "Now"),
        Column("file", "File"),
        Column("run", "Run", Shape.RUN),
        Column("id", "Id", Shape.ID),
    ),
    statement=STATEMENT,
    order='account, isin, basis, source, id, "break"',
    by=(DATE, BATCH),
    good=frozenset(["equal"]),
)
