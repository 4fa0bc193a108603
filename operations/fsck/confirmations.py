"""Confirmations: they follow allocations, their states are what events said, and nothing is affirmed by nobody."""

from __future__ import annotations

from allocations.services._confirming import STATE_SAID
from operations.fsck.check import Check, Level

_SAID = ", ".join(f"('{kind}', '{state}')" for kind, state in sorted(STATE_SAID.items()))

# Only blocks of which the listener has read everything that was said: what is on its way is nobody's fault yet.
_FOLLOWS = """
WITH read AS (SELECT position FROM journal_cursor WHERE name = 'allocations.confirm'),
ahead AS (
  SELECT DISTINCT e.stream FROM journal_event e, read
   WHERE e.position > read.position
     AND e.kind IN ('AllocationBooked', 'AllocationReversed', 'AllocationCompensated',
                    'DirectTradesFormed', 'DirectTradesReversed', 'DirectTradesCompensated')),
open AS (SELECT id, ref, allocation_id FROM allocations_confirmation WHERE state <> 'canceled')
SELECT 'A-' || a.number AS subject,
       CASE WHEN o.id IS NULL THEN 'is booked and has no open confirmation' ELSE format('is %s and %s stands', a.state, o.ref) END AS what
  FROM allocations_allocation a JOIN allocations_block b ON b.id = a.block_id CROSS JOIN read
  LEFT JOIN open o ON o.allocation_id = a.id
 WHERE NOT EXISTS (SELECT FROM ahead WHERE ahead.stream = CASE b.kind WHEN 'direct' THEN 'allocations:direct' ELSE 'block:' || b.id END)
   AND (a.state = 'booked' AND a.qty > 0 AND b.kind = 'block' AND o.id IS NULL
        OR a.state IN ('reversed', 'parked') AND o.id IS NOT NULL)
"""

_STATES = f"""
WITH said AS (
  SELECT DISTINCT ON (line ->> 'id') (line ->> 'id')::uuid AS id, e.id AS event_id, k.state
    FROM journal_event e JOIN (VALUES {_SAID}) AS k(kind, state) ON k.kind = e.kind
    CROSS JOIN LATERAL jsonb_array_elements(e.payload -> 'confirmations') AS line
   ORDER BY line ->> 'id', e.position DESC)
SELECT coalesce(c.ref, s.id::text) AS subject,
       CASE WHEN c.id IS NULL THEN format('was told as %s and is not there', s.state)
            WHEN s.id IS NULL THEN format('is %s and no event says so', c.state)
            ELSE format('is %s by event %s, and was told last as %s by %s', c.state, c.event_id, s.state, s.event_id) END AS what
  FROM allocations_confirmation c FULL JOIN said s ON s.id = c.id
 WHERE (c.state, c.event_id) IS DISTINCT FROM (s.state, s.event_id)
"""

_AFFIRMED = """
SELECT c.ref AS subject,
       format('is affirmed by %s, and the counterparty never said it', coalesce(nullif(c.affirmed_by, ''), 'nobody')) AS what
  FROM allocations_confirmation c
 WHERE c.state = 'affirmed' AND c.affirmed_by !~ '^(user|key):'
   AND NOT EXISTS (SELECT FROM allocations_counterpartyrecord r WHERE r.confirmation_id = c.id
                      AND r.kind = CASE c.role WHEN 'broker' THEN 'confirmation_ack' ELSE 'confirmation' END)
 UNION ALL
SELECT c.ref, format('is paired with %s records of one kind', count(*))
  FROM allocations_counterpartyrecord r JOIN allocations_confirmation c ON c.id = r.confirmation_id
 WHERE r.state = 'paired' AND r.kind IN ('allocation_instruction', 'allocation_report', 'confirmation')
 GROUP BY c.ref, r.kind HAVING count(*) > 1
"""

CHECKS = (
    Check(
        "CONFIRMATION_NOT_ALLOCATION", "I7", Level.EXCEPTIONS,
        "Every booked allocation of a block has one open confirmation, and nothing that is undone or parked has one.",
        "Run the relay: the listener allocations.confirm makes them equal. What it set aside is on /exceptions.",
        sql=_FOLLOWS, reads_all=True,
    ),
    Check(
        "CONFIRMATION_STATE_UNTOLD", "I5", Level.EXCEPTIONS,
        "A confirmation is in the state in which the last event that names it left it.",
        "Something wrote beside the services: look in the database's log for who; agree the state with the counterparty.",
        sql=_STATES, reads_all=True,
    ),
    Check(
        "CONFIRMATION_AFFIRMED_BY_NOBODY", "I7", Level.EXCEPTIONS,
        "What is affirmed without a person's word has the counterparty's, and no two records of one kind are about one confirmation.",
        "Ask the counterparty what it has; until then tell settlement not to rely on the affirmation.",
        sql=_AFFIRMED, reads_all=True,
    ),
)  # fmt: skip
