"""Hold cash or stock for one open order: our own decision, so never more than there is."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.ledger import OrderHold
from accounts.services.set_reservations import set_reservations
from kernel.numbers import ZERO, Money


def set_reservation(
    *,
    account_id: UUID,
    order_id: UUID,
    cash: Money | None,
    stock: tuple[UUID, Decimal] | None,
    at: datetime,
) -> None:
    """What the order holds from now on, in whole. None of both releases it.

    Raises Refused CASH_INSUFFICIENT or HOLDING_INSUFFICIENT; then nothing changed.
    """
    hold = OrderHold(
        order_id=order_id,
        account_id=account_id,
        cash_currency=cash.currency if cash else "",
        cash=cash.amount if cash else ZERO,
        instrument_id=stock[0] if stock else None,
        stock=stock[1] if stock else ZERO,
    )
    set_reservations(holds=[hold], at=at)
