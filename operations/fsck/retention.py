"""Level 1 for what is kept: holds, rules and archives are what their events say, and archives leave no gap."""

from __future__ import annotations

from operations.fsck.check import Check, Level

_HOLDS = """
WITH told AS (
     SELECT stream, bool_or(kind = 'LegalHoldPlaced') AS placed, bool_or(kind = 'LegalHoldReleased') AS released
       FROM journal_event WHERE kind IN ('LegalHoldPlaced', 'LegalHoldReleased') GROUP BY stream
)
SELECT coalesce('hold ' || h.id, t.stream) AS subject,
       CASE WHEN h.id IS NULL THEN 'was told and is not there'
            WHEN t.placed IS NOT TRUE THEN 'was never told'
            ELSE format('is %s, told %s', h.state, CASE WHEN t.released THEN 'released' ELSE 'held' END) END AS what
  FROM told t FULL JOIN journal_legalhold h ON t.stream = 'hold:' || h.id
 WHERE h.id IS NULL OR t.placed IS NOT TRUE OR (h.state = 'released') IS DISTINCT FROM t.released
"""

_RULES = """
WITH told AS (
     SELECT substr(stream, 11) AS record_class, count(*) AS changes,
            (array_agg((payload ->> 'kept_days')::int ORDER BY seq DESC))[1] AS kept_days
       FROM journal_event WHERE kind = 'RetentionChanged' GROUP BY stream
), kept AS (
     SELECT record_class, count(*) AS changes,
            (array_agg(kept_days ORDER BY effective_from DESC, id DESC))[1] AS kept_days
       FROM journal_retentionrule GROUP BY record_class
)
SELECT 'records ' || record_class AS subject,
       format('kept %s days by %s rules, told %s days in %s events', k.kept_days, k.changes, t.kept_days, t.changes) AS what
  FROM told t FULL JOIN kept k USING (record_class)
 WHERE (t.changes, t.kept_days) IS DISTINCT FROM (k.changes, k.kept_days)
"""

_ARCHIVES = """
WITH told AS (
     SELECT (payload ->> 'from_seal')::bigint AS from_seal, payload ->> 'manifest_sha256' AS digest
       FROM journal_event WHERE stream = 'journal:archive' AND kind = 'RangeArchived'
), placed AS (
     SELECT *, lag(to_seal, 1, 0::bigint) OVER (ORDER BY from_seal) AS before FROM journal_archive
)
SELECT coalesce('archive ' || p.place, 'archive from seal ' || t.from_seal) AS subject,
       CASE WHEN p.id IS NULL THEN 'was told and is not on record'
            WHEN t.from_seal IS NULL THEN 'was never told'
            WHEN p.from_seal <> p.before + 1 THEN format('begins at seal %s after %s', p.from_seal, p.before)
            ELSE 'has another manifest than was told' END AS what
  FROM told t FULL JOIN placed p USING (from_seal)
 WHERE p.id IS NULL OR t.from_seal IS NULL OR p.from_seal <> p.before + 1 OR t.digest <> p.manifest_sha256
"""

CHECKS = (
    Check(
        "HOLD_NOT_TOLD", "I5", Level.JOURNAL,
        "Every legal hold stands as its events say; none came or went without one.",
        "Stop removing (switch the relay off), read the stream of the hold, and find out who wrote to the table.",
        sql=_HOLDS,
    ),
    Check(
        "RETENTION_NOT_TOLD", "I5", Level.JOURNAL,
        "How long records are kept is what the last change that two people made says.",
        "Stop removing (switch the relay off), and find out who wrote to the table.",
        sql=_RULES,
    ),
    Check(
        "ARCHIVE_GAP", "I5", Level.JOURNAL,
        "Archives follow one another without a gap, each as it was told.",
        "Compare the directories of the archive with the page of retention; make the missing one with ./oms evidence.",
        sql=_ARCHIVES,
    ),
)  # fmt: skip
