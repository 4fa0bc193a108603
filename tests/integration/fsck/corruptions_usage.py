"""Planted corruptions of what orders and scopes count against limits."""

from __future__ import annotations

from tests.integration.fsck.corruption import LIVE, Corruption

USAGE = (
    Corruption(
        "ORDER_USAGE_DIFFERS", "counts less than it is",
        f"UPDATE risk_orderusage SET open_value = open_value - 1 WHERE order_id = {LIVE};"
        "UPDATE risk_limitusage SET open_buy = open_buy - 1",
    ),
    Corruption(
        "ORDER_USAGE_DIFFERS", "is not counted at all",
        f"DELETE FROM risk_orderusage WHERE order_id = {LIVE}", ("LIMIT_USAGE_DIFFERS", "DAILY_USAGE_DIFFERS"),
    ),
    Corruption(
        "ORDER_USAGE_DIFFERS", "counts for another dealer",
        f"UPDATE risk_orderusage SET dealer_id = dealer_id + 1 WHERE order_id = {LIVE}",
    ),
    Corruption(
        "LIMIT_USAGE_DIFFERS", "room that is not there", "UPDATE risk_limitusage SET open_orders = open_orders - 1 WHERE key = 'firm:'"
    ),
    Corruption(
        "DAILY_USAGE_DIFFERS", "a trade forgotten",
        "UPDATE risk_dailyusage SET bought = bought - 1 WHERE key LIKE 'desk:%'",
    ),
    Corruption(
        "LIMIT_NOT_COUNTED", "a mark on nothing", "DELETE FROM risk_limitusage WHERE key LIKE 'account:%'",
        ("DAILY_USAGE_DIFFERS",),
    ),
)  # fmt: skip
