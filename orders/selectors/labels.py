"""Labels of orders, for those who tell of them outside."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from journal.bulk import raw_cursor
from orders.domain.label import OrderLabel

_LABELS = """
SELECT o.id, o.ref, o.client_order_id, a.code, o.desk_id, a.group_id
  FROM orders_order o JOIN accounts_tradingaccount a ON a.id = o.account_id
 WHERE o.id = ANY(%s::uuid[])
"""


def find_order_labels(order_ids: Collection[UUID]) -> dict[UUID, OrderLabel]:
    """Labels by order, in one statement; unknown orders are absent. No rights are asked: the caller does."""
    if not order_ids:
        return {}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_LABELS, [sorted(set(order_ids))])
        return {row[0]: OrderLabel(*row) for row in cursor.fetchall()}
