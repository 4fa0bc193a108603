"""What executions are worth now in the accounts of their orders: for the rooms that go on from there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.arithmetic import fill_effect
from accounts.domain.fees import Charge
from journal.bulk import raw_cursor
from kernel.fix import Side
from orders.domain.charging import kept_fees
from orders.models import Order

_EXECUTED = """
SELECT e.id, e.order_id, o.root_id, o.ref, o.account_id, o.desk_id, o.listing_id, e.side, o.capacity, o.session_group,
       o.instrument_snapshot ->> 'instrument_id', o.instrument_snapshot ->> 'currency', o.instrument_snapshot ->> 'mic',
       (o.instrument_snapshot ->> 'price_divisor')::int, e.effective_qty, e.effective_px, e.suspense_qty, e.suspense_cash,
       e.trade_date, e.settlement_date, e.event_id
  FROM orders_execution e JOIN orders_order o ON o.id = e.order_id
 WHERE e.id = ANY(%s::uuid[])
 ORDER BY e.id
"""


@dataclass(frozen=True, slots=True)
class Executed:
    """An execution as it counts in the account of its order: without what lies in suspense. ``cash`` signed, without charges,
    as it is booked to the minor unit."""

    execution_id: UUID
    order_id: UUID
    root_id: UUID
    order_ref: str
    account_id: UUID
    desk_id: int
    listing_id: UUID
    side: Side
    capacity: str
    session_group: str
    instrument_id: UUID
    currency: str
    mic: str
    price_divisor: int
    qty: Decimal
    px: Decimal
    cash: Decimal
    trade_date: date
    settlement_date: date
    event_id: UUID


def find_executed(execution_ids: Collection[UUID]) -> list[Executed]:
    """The executions by id, as they count now."""
    with raw_cursor() as cursor:
        cursor.execute(_EXECUTED, [sorted(set(execution_ids))])
        return [_executed(row) for row in cursor.fetchall()]


def _executed(row: tuple[Any, ...]) -> Executed:
    (
        execution_id, order_id, root_id, ref, account_id, desk_id, listing_id, side_code, capacity, session_group,
        instrument_id, currency, mic, divisor, qty, px, suspense_qty, suspense_cash, trade_date, settlement_date, event_id,
    ) = row  # fmt: skip
    side = Side(side_code)
    effect = fill_effect(side=side, qty=qty, px=px, divisor=divisor, currency=currency)
    return Executed(
        execution_id, order_id, root_id, ref, account_id, desk_id, listing_id, side, capacity, session_group,
        UUID(instrument_id), currency, mic, divisor, qty - suspense_qty, px, effect.cash - suspense_cash,
        trade_date, settlement_date, event_id,
    )  # fmt: skip


def find_charges(order_ids: Collection[UUID]) -> dict[tuple[UUID, date], tuple[Charge, ...]]:
    """What is booked for each order and trade date, line by line; nothing for a day that owes nothing."""
    found: dict[tuple[UUID, date], tuple[Charge, ...]] = {}
    for order_id, body in Order.objects.filter(pk__in=set(order_ids)).values_list("id", "fees"):
        fees = kept_fees(body)
        for day, had in fees.days.items():
            lines = {one.name: one for one in fees.sets[had.terms]}
            found[order_id, day] = tuple(
                Charge(lines[name].kind.value, name, lines[name].version, amount)
                for name, amount in sorted(had.booked.items())
                if amount
            )
    return found


def find_open(order_ids: Collection[UUID]) -> set[UUID]:
    """Those that may still execute by what their venue has said."""
    return set(Order.objects.filter(pk__in=set(order_ids), is_open=True).values_list("id", flat=True))
