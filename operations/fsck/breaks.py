"""Breaks: what stands because of one stands in risk too, and the other way round; what a repair did, two people decided."""

from __future__ import annotations

from operations.fsck.check import Check, Level
from reconciliation.selectors.effects import standing_words

_WORDS = ", ".join(f"'{word}'" for word in sorted(standing_words()))

_BLOCKS = f"""
WITH standing AS (
     SELECT split_part(source, ':', 2) AS ref, count(*) AS blocks
       FROM risk_block WHERE lifted_at IS NULL AND source LIKE 'break:%' GROUP BY 1
), breaks AS (
     SELECT 'BRK-' || lpad(number::text, greatest(6, length(number::text)), '0') AS ref, state, effect FROM reconciliation_break
)
SELECT coalesce(b.ref, s.ref) AS subject,
       CASE WHEN b.ref IS NULL THEN 'is no break, and a block stands under its name'
            WHEN b.effect IN ({_WORDS}) THEN format('stops something (%s) and no block stands', b.effect)
            ELSE format('is %s, stops nothing, and %s blocks stand', b.state, s.blocks) END AS what
  FROM breaks b FULL JOIN standing s ON s.ref = b.ref
 WHERE b.ref IS NULL OR (b.effect IN ({_WORDS})) <> (s.ref IS NOT NULL)
 UNION ALL
SELECT ref, format('is %s and says that it still stops something (%s)', state, effect)
  FROM breaks WHERE state <> 'open' AND effect IN ({_WORDS})
"""

_REPAIRS = """
WITH approved AS (
     SELECT id, payload -> 'breaks' AS breaks FROM authorisation_authorisationrequest WHERE kind = 'break_repair' AND state = 'approved'
)
SELECT 'BRK-' || lpad(b.number::text, greatest(6, length(b.number::text)), '0') AS subject,
       format('is %s by request %s, which is not there, not approved or about another break', coalesce(nullif(b.closed_as, ''),
              b.state), coalesce(b.request_id::text, 'none')) AS what
  FROM reconciliation_break b LEFT JOIN approved r ON r.id = b.request_id AND r.breaks ? b.id::text
 WHERE r.id IS NULL AND (b.state = 'accepted' OR b.closed_as IN ('repaired', 'written_off'))
 UNION ALL
SELECT format('report of %s, line %s', f.file, f.line), 'was let in by no approved request'
  FROM orders_filedreport f LEFT JOIN approved r ON r.id = f.request_id WHERE r.id IS NULL
 UNION ALL
SELECT format('execution %s', x.exec_id), 'came from a file and names none'
  FROM orders_execution x
 WHERE x.identity LIKE '~file|%' AND NOT EXISTS (
       SELECT FROM orders_filedreport f WHERE f.order_id = x.order_id AND f.identity = x.identity)
 UNION ALL
SELECT format('write-off of account %s, event %s', w.account_id, w.event_id), 'was approved by nobody'
  FROM (SELECT DISTINCT account_id, event_id FROM accounts_booking WHERE kind = 'write_off') w
  LEFT JOIN journal_event e ON e.id = w.event_id
 WHERE NOT EXISTS (SELECT FROM approved r WHERE r.id::text = e.payload ->> 'authorisation_id')
"""

_WAIVERS = """
SELECT format('opening %s of block %s', w.id, w.block_id) AS subject,
       CASE WHEN b.source NOT LIKE 'start\\_of\\_day:%%' THEN format('opens a block of %s, which nobody may', b.source)
            WHEN r.id IS NULL THEN 'was approved by nobody, or about another gate'
            WHEN w.until > r.created_at + interval '1 day' THEN 'was given for longer than a day'
            ELSE 'stands though its gate is lifted' END AS what
  FROM risk_waiver w JOIN risk_block b ON b.id = w.block_id
  LEFT JOIN authorisation_authorisationrequest r ON r.id = w.request_id AND r.kind = 'gate_override' AND r.state = 'approved'
        AND r.payload ->> 'block_id' = w.block_id::text AND r.payload ->> 'account_id' = w.account_id
 WHERE b.source NOT LIKE 'start\\_of\\_day:%%' OR r.id IS NULL OR w.until > r.created_at + interval '1 day'
    OR (w.ended_at IS NULL AND b.lifted_at IS NOT NULL)
"""

CHECKS = (
    Check(
        "BREAK_BLOCK_DIFFERS", "I4", Level.EXCEPTIONS,
        "Every break that stops something has its blocks in risk, and no block of a break stands without one that is open.",
        "The sweeper settle_policies imposes and lifts them: look whether the relay runs; never lift one by hand.",
        sql=_BLOCKS,
    ),
    Check(
        "BREAK_REPAIR_UNAPPROVED", "I4", Level.EXCEPTIONS,
        "Whatever a repair closed, booked or wrote off names the approved request that let it, and a booked record its file and line.",
        "Somebody went around the doors: block the account, and look in the journal for who wrote it.",
        sql=_REPAIRS,
    ),
    Check(
        "GATE_OPENING_UNAPPROVED", "I8", Level.EXCEPTIONS,
        "Whatever opens a gate of the start of day names the approved request about that gate, lasts a day at most and ends with it.",
        "Shut it on /sync/gates, and look in the journal for who wrote it: the doors cannot.",
        sql=_WAIVERS,
    ),
)  # fmt: skip
