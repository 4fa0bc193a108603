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

CHECKS = (
    Check(
        "BREAK_BLOCK_DIFFERS", "I4", Level.EXCEPTIONS,
        "Every break that stops something has its blocks in risk, and no block of a break stands without one that is open.",
        "The sweeper settle_policies imposes and lifts them: look whether the relay runs; never lift one by hand.",
        sql=_BLOCKS,
    ),
)  # fmt: skip
