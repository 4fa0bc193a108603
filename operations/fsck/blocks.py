"""Blocks: every execution is in one, as it stands in its account, and a block is the sum of its executions."""

from __future__ import annotations

from operations.fsck.check import Check, Level

# Only executions of which the listener has read everything that was said: what is on its way is nobody's fault yet.
_READ = """
read AS (SELECT position FROM journal_cursor WHERE name = 'allocations.blocks'),
ahead AS (
  SELECT DISTINCT (e.payload ->> 'order_id')::uuid AS order_id FROM journal_event e, read
   WHERE e.position > read.position AND e.kind IN ('ExecutionRecorded', 'ExecutionCorrected', 'ExecutionBusted', 'ExcessMoved'))
"""

_FILLS = f"""
WITH {_READ}, booked AS (
  SELECT b.execution_id, b.account_id, sum(b.amount) AS cash FROM accounts_booking b
   WHERE b.currency <> '' AND b.kind IN ('trade', 'bust', 'correction', 'suspense') AND b.execution_id IS NOT NULL
   GROUP BY 1, 2)
SELECT e.id::text AS subject, w.what
  FROM orders_execution e JOIN orders_order o ON o.id = e.order_id CROSS JOIN read
  LEFT JOIN ahead ON ahead.order_id = e.order_id
  LEFT JOIN allocations_blockfill f ON f.execution_id = e.id
  LEFT JOIN booked ON booked.execution_id = e.id AND booked.account_id = o.account_id
  CROSS JOIN LATERAL (
    SELECT 'is in no block' AS what WHERE f.execution_id IS NULL
     UNION ALL
    SELECT format('counts %s at %s in its block and %s at %s in its account', f.qty, f.px, e.effective_qty - e.suspense_qty, e.effective_px)
     WHERE (f.qty, f.px) IS DISTINCT FROM (e.effective_qty - e.suspense_qty, e.effective_px) AND f.execution_id IS NOT NULL
     UNION ALL
    SELECT format('is %s in its block and booked at %s', f.cash, coalesce(booked.cash, 0))
     WHERE f.cash IS DISTINCT FROM coalesce(booked.cash, 0) AND f.execution_id IS NOT NULL) w
 WHERE ahead.order_id IS NULL
"""

_SUMS = """
SELECT 'B-' || b.number AS subject,
       format('says %s units, %s and %s fills; its executions come to %s, %s and %s', b.qty, b.cash, b.fills,
              coalesce(s.qty, 0), coalesce(s.cash, 0), coalesce(s.fills, 0)) AS what
  FROM allocations_block b
  LEFT JOIN (SELECT block_id, sum(qty) AS qty, sum(qty * px) AS notional, sum(cash) AS cash, count(*) FILTER (WHERE qty > 0) AS fills
               FROM allocations_blockfill GROUP BY block_id) s ON s.block_id = b.id
 WHERE (b.qty, b.notional, b.cash, b.fills) IS DISTINCT FROM
       (coalesce(s.qty, 0), coalesce(s.notional, 0), coalesce(s.cash, 0), coalesce(s.fills, 0))
    OR (b.qty > 0 AND abs(b.avg_px - b.notional / b.qty) > 0.000000000001)
"""

_TOGETHER = """
SELECT 'B-' || b.number AS subject, format('holds execution %s of another account, side, day or instrument', f.execution_id) AS what
  FROM allocations_blockfill f JOIN allocations_block b ON b.id = f.block_id
  JOIN orders_execution e ON e.id = f.execution_id JOIN orders_order o ON o.id = e.order_id
 WHERE (b.account_id, b.side, b.trade_date, b.settlement_date, b.listing_id) IS DISTINCT FROM
       (o.account_id, e.side, e.trade_date, e.settlement_date, o.listing_id)
"""

CHECKS = (
    Check(
        "EXECUTION_NOT_IN_BLOCK", "I3", Level.MONEY,
        "Every execution is in one block with the quantity, price and cash that it has in the account of its order.",
        "Run the relay: the listener allocations.blocks reads executions as they stand. What it set aside is on /exceptions.",
        sql=_FILLS, reads_all=True,
    ),
    Check(
        "BLOCK_SUMS_DIFFER", "I3", Level.MONEY,
        "A block's quantity, notional, cash and average price are the sums of its executions.",
        "Look what wrote the block beside the listener; allocate nothing of it until its next execution event has been read again.",
        sql=_SUMS, reads_all=True,
    ),
    Check(
        "BLOCK_MIXES", "I3", Level.MONEY,
        "The executions of a block are of one account, side, day, settlement date and listing.",
        "Nothing forms such a block: look who wrote the line, and do not allocate it.",
        sql=_TOGETHER, reads_all=True,
    ),
)  # fmt: skip
