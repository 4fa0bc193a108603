"""Planted corruptions of corporate actions (see ``corruptions``)."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

ACTIONS = (
    Corruption(
        "ENTITLEMENT_DIFFERS", "a split that gave one share more",
        "UPDATE accounts_booking SET amount = amount + 1 WHERE kind = 'split' AND instrument_id IS NOT NULL;"
        "UPDATE accounts_holding h SET settled = settled + 1 FROM accounts_booking b WHERE b.kind = 'split' "
        "AND b.account_id = h.account_id AND b.instrument_id = h.instrument_id",
        ("MONEY_FROM_NOWHERE",),
    ),
    Corruption(
        "ENTITLEMENT_DIFFERS", "other terms than were applied",
        "UPDATE refdata_corporateactionversion SET terms = jsonb_set(terms, '{amount}', '\"0.051\"') WHERE terms ->> 'amount' IS NOT NULL",
    ),
    Corruption(
        "ENTITLEMENT_DIFFERS", "undone and not reversed",
        "UPDATE refdata_corporateaction SET state = 'undone' WHERE kind = 'split'",
    ),
    Corruption(
        "ACTION_ENTRY_DIFFERS", "another round",
        "UPDATE accounts_actionentry SET round = 7 WHERE units > 0",
    ),
    Corruption(
        "ACTION_ENTRY_DIFFERS", "lost", "DELETE FROM accounts_actionentry WHERE units > 0", ("ENTITLEMENT_DIFFERS",)
    ),
    Corruption(
        "ACTION_BLOCK_DIFFERS", "left standing",
        "UPDATE risk_block SET lifted_at = NULL WHERE source LIKE 'corporate_action:%'",
    ),
)  # fmt: skip
