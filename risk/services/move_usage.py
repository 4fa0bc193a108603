"""Orders went to another dealer: what they count, and all they traded, counts for that dealer from now on.

An order counts as a whole for whoever owns it: its trades of earlier days go along, or the sums of a day would no longer
be those of its orders. One statement, inside the caller's transaction, which holds the orders' locks: shares by ascending
order, then the two dealers' sums by ascending key. Facts are always counted: nothing here refuses.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from risk.locks import change_dealer


def move_usage(*, order_ids: Collection[UUID], dealer_id: int) -> tuple[str, ...]:
    """Count these orders for that dealer. Returns the keys whose sums changed; said again, none."""
    return change_dealer(order_ids, dealer_id) if order_ids else ()
