"""What moved cash, by the trade it belongs to: as a bank shows it, which knows settlements of trades and not how we divided them.

A share that was booked, taken back and booked anew is what stands of it; what a custodian confirmed moves the money of its own
allocation from the day that was agreed to the day on which it settled; the firm's account of blocks, and suspense, moved for a block what
is left of it. A trade that went straight to its account is told by execution, as its bookings are, until its settlement moved to another
day or it was compensated: then it is one matter, because a bank pays it by instruction.
"""

from __future__ import annotations

TRADE_CASH = """
moved AS MATERIALIZED (
     SELECT * FROM (
          SELECT account_id, currency, amount, kind, execution_id, order_id, allocation_id, event_id, recorded_at,
                 CASE WHEN layer = 'settled' THEN trade_date ELSE settlement_date END AS dated
            FROM accounts_booking WHERE currency <> '') b
      WHERE dated BETWEEN %(first)s AND %(last)s
), told AS (
     SELECT e.id, e.recorded_at, e.business_date, e.payload -> 'lines' AS lines
       FROM journal_event e
      WHERE e.kind = 'TradesSettled' AND e.id IN (SELECT DISTINCT event_id FROM moved WHERE kind = 'settlement')
), traded AS (
     SELECT * FROM moved WHERE kind <> 'settlement' OR event_id NOT IN (SELECT id FROM told)
      UNION ALL
     SELECT (line ->> 1)::uuid, line ->> 2, leg.sign * (line ->> 3)::numeric, 'settlement', NULL, NULL, i.allocation_id, t.id,
            t.recorded_at, leg.dated
       FROM told t CROSS JOIN LATERAL jsonb_array_elements(t.lines) AS line
       CROSS JOIN LATERAL (VALUES (1, t.business_date), (-1, (line ->> 4)::date)) AS leg(sign, dated)
       LEFT JOIN allocations_settlementinstruction i ON i.ref = line ->> 0
      WHERE length(line ->> 2) = 3 AND leg.dated BETWEEN %(first)s AND %(last)s
), placed AS (
     SELECT t.account_id, t.currency, t.amount, t.kind, t.execution_id, t.order_id, t.event_id, t.recorded_at, t.dated,
            coalesce(t.allocation_id, c.id) AS allocation_id, k.id AS block_id, k.kind AS block_kind,
            w.account_id IS NOT NULL OR s.account_id IS NOT NULL AS firm
       FROM traded t
       LEFT JOIN allocations_washaccount w ON w.account_id = t.account_id
       LEFT JOIN accounts_suspenseaccount s ON s.account_id = t.account_id
       LEFT JOIN allocations_blockfill f ON f.execution_id = t.execution_id
       LEFT JOIN allocations_allocation a ON a.id = t.allocation_id
       LEFT JOIN allocations_allocation c ON t.kind = 'compensation' AND t.allocation_id IS NULL AND c.booked_event_id = t.event_id
                                         AND c.account_id = t.account_id AND c.compensates_id IS NOT NULL
       LEFT JOIN journal_event e ON t.kind IN ('allocation', 'compensation') AND t.allocation_id IS NULL AND e.id = t.event_id
                                AND e.stream LIKE 'block:%%'
       LEFT JOIN allocations_block k ON k.id = coalesce(a.block_id, c.block_id, f.block_id, substr(e.stream, 7)::uuid)
), shifted AS (
     SELECT DISTINCT account_id, currency, block_id FROM (
          SELECT account_id, currency, block_id FROM placed
           WHERE block_kind = 'direct' AND kind IN ('settlement', 'compensation')
           GROUP BY account_id, currency, block_id, dated HAVING sum(amount) <> 0) d
), matters AS (
     SELECT p.account_id, p.currency, p.dated, p.amount, p.kind, p.event_id, p.recorded_at, m.by_block, m.by_allocation,
            CASE WHEN m.alone THEN p.execution_id END AS execution_id,
            CASE WHEN m.alone AND p.execution_id IS NULL THEN p.order_id END AS order_id,
            CASE WHEN m.alone AND p.execution_id IS NULL AND p.order_id IS NULL THEN p.event_id END AS event
       FROM placed p
       LEFT JOIN shifted s ON s.account_id = p.account_id AND s.currency = p.currency AND s.block_id = p.block_id
      CROSS JOIN LATERAL (
            SELECT o.by_block, o.by_allocation, o.by_block IS NULL AND o.by_allocation IS NULL AS alone FROM (
                 SELECT CASE WHEN p.firm AND p.block_kind = 'block' OR s.block_id IS NOT NULL THEN p.block_id END AS by_block,
                        CASE WHEN NOT p.firm AND p.block_kind = 'block' THEN p.allocation_id END AS by_allocation) o) m
), by_trade AS (
     SELECT account_id, currency, dated, by_block, by_allocation, execution_id, order_id, event,
            coalesce(by_block, by_allocation, execution_id, order_id, event) AS matter, sum(amount) AS amount,
            coalesce(sum(amount) FILTER (WHERE kind IN ('commission', 'fee', 'tax')), 0) AS cost,
            min(recorded_at) AS recorded_at, min(kind) AS kind, array_agg(DISTINCT event_id::text) AS events
       FROM matters GROUP BY account_id, currency, dated, by_block, by_allocation, execution_id, order_id, event
     HAVING sum(amount) <> 0
)
"""
"""Common table expressions that end in ``by_trade``, for values dated from ``first`` to ``last``; each row names one of block, allocation,
execution, order and event."""
