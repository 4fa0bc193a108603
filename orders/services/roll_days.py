"""Wake orders that were done for an earlier day: the one part of an order's status that time alone changes.

A good-till order that is Done for day or Calculated works again on its market's next trading day, by no word of the
venue. Nothing would look at its row again before a report comes, so this sweeper does. It waits for the day itself: on a
weekend or holiday, when everything that happens already belongs to the next session, the day has not turned.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from journal.bulk import update_rows
from journal.domain.chain import EventDraft, Head, last_heads
from journal.services.append_events import append_events
from kernel.errors import Unavailable
from kernel.ids import new_id
from orders.domain.applying import OrderRow
from orders.domain.derive import derive
from orders.locks import lock_order_rows
from orders.models import Order
from orders.selectors.standing import find_markets_of_done, find_orders_to_wake
from refdata.selectors import get_market_clock

ACTOR = "process:roll"
SLICE = 500


def roll_days(*, at: datetime) -> int:
    """Derive anew every order whose market's trading day has moved on. Returns how many; again at once, none.

    A market without a calendar holds up no other; then raises Unavailable CALENDAR_MISSING at the end.
    """
    rolled, missing = 0, None
    for mic in find_markets_of_done():
        try:
            day = trading_day(mic, at)
        except Unavailable as error:
            missing = error
            continue
        while day is not None and (order_ids := find_orders_to_wake(mic=mic, day=day, limit=SLICE)):
            rolled += _roll(order_ids, day, at)
    if missing is not None:
        raise missing
    return rolled


def trading_day(mic: str, at: datetime) -> date | None:
    """The market's trading day, once it has come; None between days: the date of business is then one still to come."""
    clock = get_market_clock(mic)
    day = clock.business_date(at)
    return day if day <= clock.local_date(at) else None


def _roll(order_ids: list[UUID], day: date, at: datetime) -> int:
    with transaction.atomic():
        orders = [row for row in lock_order_rows(order_ids).values() if row.trade_date < day]
        statuses = {row.id: _status_on(row, day) for row in orders}
        drafts = [_draft(row, statuses[row.id], day, at) for row in orders]
        heads = {f"order:{row.id}": Head(row.last_event_seq, row.last_event_hash) for row in orders}
        ends = last_heads(append_events(drafts=drafts, heads=heads, at=at))
        update_rows(
            Order,
            [_row(row, statuses[row.id], ends, day, at) for row in orders],
            key=("id",),
            fields=("ord_status", "state_date", "updated_at", "version", "last_event_seq", "last_event_hash"),
        )
    return len(orders)


def _status_on(order: OrderRow, day: date) -> str | None:
    """Its quantities, and so what it holds, are the same on every day; only the name of its state is not."""
    status = derive(order.facts, business_date=day).ord_status
    return status.value if status else None


def _draft(order: OrderRow, ord_status: str | None, day: date, at: datetime) -> EventDraft:
    return EventDraft(
        id=new_id(),
        stream=f"order:{order.id}",
        kind="TradingDayTurned",
        actor=ACTOR,
        correlation_id=order.correlation_id,
        event_at=at,
        received_at=at,
        business_date=day,
        payload={
            "order_id": str(order.id),
            "account_id": str(order.account_id),
            "state_date": day.isoformat(),
            "ord_status_before": order.ord_status,
            "ord_status": ord_status,
        },
    )


def _row(
    order: OrderRow, ord_status: str | None, ends: Mapping[str, Head], day: date, at: datetime
) -> tuple[object, ...]:
    end = ends[f"order:{order.id}"]
    return (order.id, ord_status, day, at, end.seq, end.seq, end.hash)
