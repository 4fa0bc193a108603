"""Locks a request with its account and order in the house order, and keeps what the order holds and counts right after a
change of ours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.arithmetic import HoldAmounts
from accounts.domain.ledger import AccountMoney, OrderHold
from accounts.locks import lock_money
from accounts.services.set_reservations import set_reservations
from kernel.errors import NotFound
from kernel.fix import OrdStatus
from orders.domain.charging import kept_fees
from orders.domain.holding import OPEN_STATES, asked_of, held_for, instrument_of, priced_of
from orders.locks import lock_all_requests, lock_orders
from orders.models import Order, OrderRequest
from orders.selectors import find_account_of_order, find_orders_of_requests
from orders.services._usage import count_order


def lock_order_whole(order_id: UUID) -> tuple[Order, list[OrderRequest], AccountMoney]:
    """The account's money, the order and all its requests, locked in that order. Raises NotFound ORDER_UNKNOWN."""
    found = find_account_of_order(order_id)
    if found is None:
        raise NotFound("ORDER_UNKNOWN", "There is no such order.", {"order_id": str(order_id)})
    account_id, instrument_id = found
    money = lock_money(account_ids=[account_id], instrument_ids=[instrument_id])[account_id]
    order = lock_orders([order_id])[order_id]
    return order, lock_all_requests([order_id])[order_id], money


def lock_for_request(request_id: UUID) -> tuple[Order, OrderRequest, list[OrderRequest]]:
    """As :func:`lock_order_whole` for the order of a request. Raises NotFound REQUEST_UNKNOWN."""
    order_id = find_orders_of_requests([request_id]).get(request_id)
    if order_id is None:
        raise NotFound("REQUEST_UNKNOWN", "There is no such request.", {"request_id": str(request_id)})
    order, requests, _ = lock_order_whole(order_id)
    return order, next(request for request in requests if request.id == request_id), requests


def held_of(order: Order, requests: Sequence[OrderRequest]) -> HoldAmounts:
    """What the order should hold by its working terms and its open replaces."""
    asked = [
        asked_of(request.payload)
        for request in requests
        if request.kind == OrderRequest.Kind.REPLACE and request.state in OPEN_STATES
    ]
    terms = priced_of(
        side=order.side,
        ord_type=order.ord_type,
        price=order.price,
        stop_px=order.stop_px,
        snapshot=order.instrument_snapshot,
        fees=kept_fees(order.fees).terms,
    )
    return held_for(
        terms,
        leaves_qty=order.leaves_qty,
        cum_qty=order.cum_qty,
        is_open=order.is_open,
        is_filled=order.ord_status == OrdStatus.FILLED,
        asked=asked,
    )


def set_hold(order: Order, requests: Sequence[OrderRequest], *, at: datetime) -> None:
    """Hold and count that from now on. Raises Refused when a growing hold finds too little; shrinking never fails."""
    held = held_of(order, requests)
    set_reservations(holds=[hold_row(order, held.cash, held.stock)], at=at)
    count_order(order, requests)


def hold_row(order: Order, cash: Decimal, stock: Decimal) -> OrderHold:
    """The order's hold as accounts keeps it."""
    return OrderHold(
        order_id=order.id,
        account_id=order.account_id,
        cash_currency=order.instrument_snapshot["currency"] if cash else "",
        cash=cash,
        instrument_id=instrument_of(order.instrument_snapshot) if stock else None,
        stock=stock,
    )
