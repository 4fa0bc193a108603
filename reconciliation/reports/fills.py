"""Every fill of a day beside the confirmations of those who compared it, and every confirmation that is no fill of ours.

A fill is listed once for each source whose newest file of the day was compared and speaks for its market, and once more for
each further way in which the two differ. What the comparison found is the word; what happened after it is said to be so.
"""

from __future__ import annotations

from reconciliation.reports.report import (
    BATCH,
    BREAK_SEEN,
    DATE,
    LATEST_RUNS,
    OF_UPLOAD,
    OUTAGE,
    SEEN,
    Column,
    Report,
    Shape,
)

WORDS = {
    "equal": "Our fill and their confirmation agree within the tolerances",
    "quantity": "Quantity, side, account or instrument differ",
    "price": "Price or currency differ",
    "fee": "Commission or fees differ",
    "timing": "Dates or times differ, or it may be under way",
    "duplicate_suspect": "They list it more than once, or we have it twice",
    "missing_external": "Our fill is not among their confirmations",
    "missing_internal": "Their confirmation is no fill of ours",
    "after_cut": "It happened after the time of which their file is",
    "changed_since": "It came, or was corrected or busted, after the comparison",
    "not_compared": "No file about it was compared",
}
STATEMENT = f"""
WITH runs AS ({LATEST_RUNS.format(kind="'executions'")}), fills AS (
    SELECT x.id, x.exec_id, x.side, x.effective_qty, x.effective_px, x.event_at, x.recorded_at, x.exec_ref_id, o.id AS order_id,
           o.ref, a.code, l.symbol, l.market_id, l.currency
      FROM orders_execution x
      JOIN orders_order o ON o.id = x.order_id
      JOIN accounts_tradingaccount a ON a.id = o.account_id
      JOIN refdata_listing l ON l.id = o.listing_id
     WHERE x.trade_date = %(day)s AND {OF_UPLOAD} AND {SEEN}
       AND (%(group)s::text IS NULL OR (o.session_group = %(group)s::text AND x.event_at >= %(lost_at)s::timestamptz
            AND (%(back_at)s::timestamptz IS NULL OR x.event_at <= %(back_at)s::timestamptz)))
), found AS (
    SELECT b.*, r.id AS run_id, r.source AS run_source, r.file AS run_file FROM runs r
      JOIN reconciliation_runbreak s ON s.run_id = r.id AND s.word <> 'closed'
      JOIN reconciliation_break b ON b.id = s.item_id
)
SELECT CASE WHEN r.id IS NULL THEN 'not_compared'
            WHEN b.id IS NOT NULL THEN b.category
            WHEN r.cut_at IS NOT NULL AND x.event_at > r.cut_at THEN 'after_cut'
            WHEN x.recorded_at > r.started_at OR (x.exec_ref_id <> '' AND EXISTS (
                 SELECT FROM journal_event j WHERE j.stream = 'order:' || x.order_id
                    AND j.kind IN ('ExecutionBusted', 'ExecutionCorrected') AND j.recorded_at > r.started_at
                    AND j.payload ->> 'execution_id' = x.id::text)) THEN 'changed_since'
            ELSE 'equal' END,
       coalesce(r.source, ''), x.exec_id, x.ref, x.code, x.symbol, x.side, x.effective_qty, x.effective_px, x.currency,
       (b.theirs ->> 'last_qty')::numeric, (b.theirs ->> 'last_px')::numeric, x.event_at, coalesce(b.why, ''),
       'BRK-' || lpad(b.number::text, 6, '0'), coalesce(b.state, ''), coalesce(r.file, ''), coalesce(r.id::text, ''),
       x.order_id::text, x.id::text
  FROM fills x
  LEFT JOIN runs r ON cardinality(r.markets) = 0 OR x.market_id = ANY(r.markets)
  LEFT JOIN found b ON b.run_id = r.id AND b.execution_id = x.id
UNION ALL
SELECT b.category, b.run_source, coalesce(b.ids ->> 'exec_id', ''), coalesce(o.ref, ''), coalesce(a.code, ''),
       coalesce(l.symbol, b.theirs ->> 'instrument', ''), coalesce(o.side, b.theirs ->> 'side', ''), NULL, NULL,
       coalesce(l.currency, b.theirs ->> 'currency', ''), (b.theirs ->> 'last_qty')::numeric, (b.theirs ->> 'last_px')::numeric,
       b.event_at, b.why,
       'BRK-' || lpad(b.number::text, 6, '0'), b.state, b.run_file, b.run_id::text, coalesce(o.id::text, ''), b.id::text
  FROM found b
  LEFT JOIN orders_order o ON o.id = b.order_id
  LEFT JOIN accounts_tradingaccount a ON a.id = b.account_id
  LEFT JOIN refdata_listing l ON l.id = o.listing_id
 WHERE b.execution_id IS NULL AND {BREAK_SEEN}
   AND (%(upload)s::uuid IS NULL OR (o.id IS NOT NULL AND {OF_UPLOAD}))
   AND (%(group)s::text IS NULL OR (o.session_group = %(group)s::text AND b.event_at >= %(lost_at)s::timestamptz
        AND (%(back_at)s::timestamptz IS NULL OR b.event_at <= %(back_at)s::timestamptz)))
"""  # noqa: S608
REPORT = Report(
    name="fills",
    title="Fills and confirmations",
    question="Which fills of a day equal what brokers and venues confirmed, and which do not?",
    words=WORDS,
    columns=(
        Column("word", "Outcome", Shape.WORD),
        Column("source", "Source"),
        Column("exec_id", "ExecID"),
        Column("order", "Order", Shape.ORDER),
        Column("account", "Account"),
        Column("symbol", "Symbol"),
        Column("side", "Side", Shape.SIDE),
        Column("our_qty", "Our quantity", Shape.NUMBER),
        Column("our_px", "Our price", Shape.NUMBER),
        Column("currency", "Currency"),
        Column("their_qty", "Their quantity", Shape.NUMBER),
        Column("their_px", "Their price", Shape.NUMBER),
        Column("event_at", "Happened", Shape.MOMENT),
        Column("why", "Why", Shape.SENTENCE),
        Column("break", "Break", Shape.BREAK),
        Column("break_state", "Now"),
        Column("file", "File"),
        Column("run", "Run", Shape.RUN),
        Column("order_id", "Order id", Shape.ID),
        Column("id", "Id", Shape.ID),
    ),
    statement=STATEMENT,
    order='event_at, exec_id, source, id, "break"',
    by=(DATE, BATCH, OUTAGE),
    good=frozenset(["equal"]),
)
