"""Planted corruptions of breaks (see ``corruptions``)."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

BREAKS = (
    Corruption(
        "BREAK_BLOCK_DIFFERS", "lifted by hand",
        "UPDATE risk_block SET lifted_at = now(), lifted_by = 'user:1' WHERE source LIKE 'break:%' AND lifted_at IS NULL",
    ),
    Corruption(
        "BREAK_BLOCK_DIFFERS", "closed and left standing",
        "UPDATE reconciliation_break SET state = 'closed', closed_as = 'agreed', closed_at = now() WHERE effect <> ''",
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
)  # fmt: skip
