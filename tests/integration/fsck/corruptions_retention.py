"""Planted corruptions of what is kept, for how long, and of its archives."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

_HOLD = """INSERT INTO journal_legalhold (id, matter, reason, subject_kind, subject, symbols, from_at, state, placed_by, placed_at,
  released_by) VALUES (gen_random_uuid(), 'M', 'r', 'everything', '', '[]', now(), 'held', 'user:1', now(), '')"""
_ARCHIVE = """INSERT INTO journal_archive (id, from_seal, to_seal, from_at, to_at, events, place, manifest_sha256, verified_at)
  VALUES (gen_random_uuid(), %s, %s, now(), now(), 1, 'x', 'd', now())"""
RETENTION = (
    Corruption("HOLD_NOT_TOLD", "slipped in", _HOLD),
    Corruption(
        "HOLD_NOT_TOLD", "let go alone", "UPDATE journal_legalhold SET state = 'released', released_at = now()"
    ),
    Corruption("HOLD_NOT_TOLD", "deleted", "DELETE FROM journal_legalhold"),
    Corruption(
        "RETENTION_NOT_TOLD", "shortened alone",
        "INSERT INTO journal_retentionrule (id, record_class, kept_days, reason, effective_from, decided_by) "
        "VALUES (gen_random_uuid(), 'price_ticks', 7, 'r', now(), 'user:1')",
    ),
    Corruption("ARCHIVE_GAP", "never told", _ARCHIVE % (1, 2)),
    Corruption("ARCHIVE_GAP", "after a gap", _ARCHIVE % (5, 9)),
)  # fmt: skip
