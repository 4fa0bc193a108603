"""Corruptions of what orders are charged."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

CHARGED = "(SELECT id FROM orders_order WHERE fees -> 'days' <> '{}' AND cum_qty > 0 ORDER BY id LIMIT 1)"

FEES = (
    Corruption(
        "FEES_DIFFER", "another quantity of the day",
        ("UPDATE orders_order SET fees = jsonb_set(fees, ARRAY['days', (SELECT key FROM jsonb_each(fees -> 'days') LIMIT 1), '1'], "
        f"'\"7\"') WHERE id = {CHARGED}"),
    ),
    Corruption(
        "CHARGES_DIFFER", "booked twice",
        ("INSERT INTO accounts_booking (account_id, event_id, order_id, execution_id, kind, charge, layer, currency, amount, "
        "trade_date, settlement_date, recorded_at) SELECT account_id, event_id, order_id, execution_id, kind, charge, layer, "
        f"currency, amount, trade_date, settlement_date, recorded_at FROM accounts_booking WHERE order_id = {CHARGED} "
        "AND charge = 'commission' LIMIT 1"),
        ("CASH_DIFFERS",),
    ),
    Corruption(
        "CHARGES_DIFFER", "under another name",
        f"UPDATE accounts_booking SET charge = 'levy' WHERE order_id = {CHARGED} AND charge = 'commission'",
    ),
)  # fmt: skip
