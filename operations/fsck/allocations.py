"""Allocations: lines that stand are their block, bookings are lines, events tell both, and what was undone is gone to the minor unit."""

from __future__ import annotations

from operations.fsck.check import Check, Level

_LINES = """
SELECT 'B-' || b.number AS subject,
       format('is %s units and %s; its lines are %s and %s, and it says %s and %s', b.qty, b.cash, coalesce(l.qty, 0),
              coalesce(l.cash, 0), b.allocated_qty, b.allocated_cash) AS what
  FROM allocations_block b
  LEFT JOIN (SELECT a.block_id, sum(CASE WHEN a.side = c.side THEN a.qty ELSE -a.qty END) AS qty, sum(a.gross) AS cash
               FROM allocations_allocation a JOIN allocations_block c ON c.id = a.block_id
              WHERE a.state <> 'reversed' GROUP BY a.block_id) l ON l.block_id = b.id
 WHERE (coalesce(l.qty, 0), coalesce(l.cash, 0)) <> (b.allocated_qty, b.allocated_cash)
    OR (b.state = 'booked' AND (b.qty, b.cash) <> (b.allocated_qty, b.allocated_cash))
"""

# Where it says that it is booked: what lay in suspense before a release is that account's, which gave it by another event.
_BOOKED = """
WITH booked AS (
     SELECT b.allocation_id,
            coalesce(sum(b.amount) FILTER (WHERE b.instrument_id IS NULL AND b.charge = ''
                                             AND b.account_id = a.booked_account_id), 0) AS cash,
            -coalesce(sum(b.amount) FILTER (WHERE b.charge <> ''), 0) AS fees,
            coalesce(sum(CASE WHEN b.layer = 'short' THEN -b.amount ELSE b.amount END)
                     FILTER (WHERE b.instrument_id IS NOT NULL AND b.account_id = a.booked_account_id), 0) AS qty
       FROM accounts_booking b LEFT JOIN allocations_allocation a ON a.id = b.allocation_id
      WHERE b.allocation_id IS NOT NULL AND b.layer <> 'settled' AND b.kind <> 'settlement' GROUP BY 1
), wanted AS (
     SELECT a.id, a.number, a.state = 'reversed' AS undone, a.gross, a.fees, CASE WHEN a.side = '1' THEN a.qty ELSE -a.qty END AS qty
       FROM allocations_allocation a JOIN allocations_block k ON k.id = a.block_id WHERE k.kind = 'block'
)
SELECT coalesce('A-' || w.number, b.allocation_id::text) AS subject,
       format('is %s units, %s and %s of charges%s; %s, %s and %s are booked where it belongs', w.qty, w.gross, w.fees,
              CASE WHEN w.undone THEN ', undone' ELSE '' END, coalesce(b.qty, 0), coalesce(b.cash, 0), coalesce(b.fees, 0)) AS what
  FROM wanted w FULL JOIN booked b ON b.allocation_id = w.id
 WHERE w.id IS NULL
    OR (w.undone AND (coalesce(b.qty, 0), coalesce(b.cash, 0), coalesce(b.fees, 0)) <> (0, 0, 0))
    OR (NOT w.undone AND (w.qty, w.gross, w.fees) IS DISTINCT FROM (coalesce(b.qty, 0), coalesce(b.cash, 0), coalesce(b.fees, 0)))
"""

# The newest event that tells a line as it stands, and whether one undoes it.
_TOLD = """
WITH told AS (
     SELECT (l.line ->> 'allocation_id')::uuid AS id, e.kind, e.position, l.line
       FROM journal_event e CROSS JOIN LATERAL jsonb_array_elements(e.payload -> 'lines') AS l(line)
      WHERE e.kind IN ('AllocationBooked', 'AllocationReversed', 'AllocationCompensated', 'DirectTradesFormed',
                       'DirectTradesReversed', 'DirectTradesCompensated')
), newest AS (
     SELECT DISTINCT ON (id) id, line FROM told WHERE kind NOT IN ('AllocationReversed', 'DirectTradesReversed') ORDER BY id, position DESC
), undone AS (
     SELECT DISTINCT id FROM told WHERE kind IN ('AllocationReversed', 'DirectTradesReversed')
)
SELECT coalesce('A-' || a.number, n.id::text) AS subject,
       CASE WHEN a.id IS NULL THEN 'is told and does not exist' WHEN n.id IS NULL THEN 'is told by no event'
            WHEN (u.id IS NOT NULL) <> (a.state = 'reversed') THEN 'is undone by its events or by its row, not by both'
            ELSE format('is %s for %s net in %s; its events say %s for %s in %s', a.qty, a.net, a.booked_account_id,
                        n.line ->> 'qty', n.line ->> 'net', n.line ->> 'booked_account_id') END AS what
  FROM allocations_allocation a FULL JOIN newest n ON n.id = a.id LEFT JOIN undone u ON u.id = coalesce(a.id, n.id)
 WHERE a.id IS NULL OR n.id IS NULL OR (u.id IS NOT NULL) <> (a.state = 'reversed')
    OR (a.qty, a.gross, a.net, a.account_id::text, a.booked_account_id::text)
       IS DISTINCT FROM ((n.line ->> 'qty')::numeric, (n.line ->> 'gross')::numeric, (n.line ->> 'net')::numeric,
                         n.line ->> 'account_id', n.line ->> 'booked_account_id')
"""

# What the account of blocks gave, by the event that moved it, is what others got by it.
_GIVEN = """
SELECT 'event ' || b.event_id AS subject,
       format('moved %s and %s units in all; nothing comes from nowhere', sum(b.amount) FILTER (WHERE b.currency <> ''),
              sum(CASE WHEN b.layer = 'short' THEN -b.amount ELSE b.amount END) FILTER (WHERE b.instrument_id IS NOT NULL)) AS what
  FROM accounts_booking b WHERE b.kind IN ('allocation', 'compensation') AND b.charge = ''
 GROUP BY b.event_id
HAVING coalesce(sum(b.amount) FILTER (WHERE b.currency <> ''), 0) <> 0
    OR coalesce(sum(CASE WHEN b.layer = 'short' THEN -b.amount ELSE b.amount END) FILTER (WHERE b.instrument_id IS NOT NULL), 0) <> 0
 UNION ALL
SELECT 'event ' || e.id, 'tells of accounts that no replay would find'
  FROM journal_event e LEFT JOIN accounts_allocationpart p ON p.event_id = e.id
 WHERE e.kind IN ('AllocationBooked', 'AllocationReversed', 'AllocationCompensated') AND p.event_id IS NULL
"""

_HOW = "Allocate the block anew where it can be; what was booked wrongly is corrected by a booking of its own, never by changing one."

CHECKS = (
    Check(
        "ALLOCATION_LINES_DIFFER", "I4", Level.MONEY,
        "The lines of a booked block that stand are all of its units and all of its money, and the block says what they are.",
        _HOW, sql=_LINES,
    ),
    Check(
        "ALLOCATION_BOOKED_WRONGLY", "I4", Level.MONEY,
        "What is booked for an allocation is its figures, where it says; of one that was undone nothing is left.",
        _HOW, sql=_BOOKED,
    ),
    Check(
        "ALLOCATION_TOLD_WRONGLY", "I1", Level.MONEY,
        "Every allocation is what its newest event tells, and undone where an event says so.",
        _HOW, sql=_TOLD,
    ),
    Check(
        "ALLOCATION_FROM_NOWHERE", "I4", Level.MONEY,
        "What accounts got of blocks their account gave, and every replay finds the event.",
        _HOW, sql=_GIVEN,
    ),
)  # fmt: skip
