"""Planted corruptions of breaks (see ``corruptions``)."""

from __future__ import annotations

from tests.integration.fsck.corruption import NOW, Corruption

BREAKS = (
    Corruption(
        "BREAK_BLOCK_DIFFERS", "lifted by hand",
        "UPDATE risk_block SET lifted_at = now(), lifted_by = 'user:1' WHERE source LIKE 'break:%' AND lifted_at IS NULL",
    ),
    Corruption(
        "BREAK_BLOCK_DIFFERS", "closed and left standing",
        "UPDATE reconciliation_break SET state = 'closed', closed_as = 'agreed', closed_at = now() WHERE effect <> ''",
        related=("BREAK_STORY_DIFFERS", "BREAK_TOLD_WRONG"),
    ),
    Corruption(
        "BREAK_BLOCK_DIFFERS", "said to stop nothing",
        "UPDATE reconciliation_break SET effect = '' WHERE effect <> ''",
    ),
    Corruption(
        "BREAK_BLOCK_DIFFERS", "of no break",
        "UPDATE reconciliation_break SET number = number + 1000 WHERE effect <> ''",
    ),
    Corruption(
        "BREAK_REPAIR_UNAPPROVED", "of no request",
        "UPDATE reconciliation_break SET request_id = NULL WHERE closed_as = 'repaired'",
    ),
    Corruption(
        "BREAK_REPAIR_UNAPPROVED", "approved about another",
        "UPDATE authorisation_authorisationrequest SET payload = jsonb_set(payload, '{breaks}', '[]') WHERE kind = 'break_repair'",
    ),
    Corruption(
        "BREAK_REPAIR_UNAPPROVED", "an execution of no line",
        "DELETE FROM orders_filedreport",
    ),
    Corruption(
        "BREAK_REPAIR_UNAPPROVED", "a write-off of nobody",
        "UPDATE accounts_booking SET kind = 'write_off' WHERE id = (SELECT min(id) FROM accounts_booking WHERE kind = 'deposit')",
    ),
    Corruption("RUN_FIGURES_DIFFER", "one more", "UPDATE reconciliation_run SET written = written + 1"),
    Corruption("RUN_FIGURES_DIFFER", "agreed by a doubted run", "UPDATE reconciliation_run SET state = 'suspect'"),
    Corruption(
        "BREAK_STORY_DIFFERS", "found by nobody",
        "UPDATE reconciliation_runbreak SET word = 'standing'; UPDATE reconciliation_run SET written = 0, standing = 1",
    ),
    Corruption("BREAK_STORY_DIFFERS", "why is gone", "UPDATE reconciliation_break SET why = ''"),
    Corruption("BREAK_STORY_DIFFERS", "the one before is gone", "UPDATE reconciliation_break SET recurrence = 2"),
    Corruption("BREAK_TOLD_WRONG", "told under another key", "UPDATE reconciliation_break SET key = key || 'x'"),
    Corruption("FEED_FILE_DIFFERS", "another size", "UPDATE reconciliation_feedfile SET size = size + 1"),
    Corruption("FEED_FILE_DIFFERS", "not kept", "UPDATE reconciliation_feedfile SET sha256 = reverse(sha256)"),
    Corruption(
        "GATE_OPENING_UNAPPROVED", "opened by nobody",
        "INSERT INTO risk_waiver (id, block_id, account_id, until, reason, request_id, granted_by, granted_at, ended_by, ended_reason) "
        f"SELECT id, id, '', {NOW} + interval '1 hour', 'x', id, 'x', {NOW}, '', '' FROM risk_block ORDER BY id LIMIT 1",
    ),
)  # fmt: skip
