"""Let go of what orders hold: they are closed, refused or withdrawn."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from accounts.domain.ledger import OrderHold
from accounts.selectors import list_holds
from accounts.services.set_reservations import set_reservations


def release_reservations(*, order_ids: Collection[UUID], at: datetime) -> int:
    """Release all the orders hold; orders that hold nothing are passed over. Returns how many held something."""
    holds = [OrderHold(order_id=hold.order_id, account_id=hold.account_id) for hold in list_holds(order_ids)]
    set_reservations(holds=holds, at=at)
    return len(holds)
