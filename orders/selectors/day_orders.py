"""Open orders at the end of a market's day: those whose time is over by it, and those that go on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from journal.bulk import raw_cursor

_OPEN = "o.is_open AND o.instrument_snapshot ->> 'mic' = %(mic)s"
_OVER = (
    "((o.time_in_force = ANY(%(forces)s) AND o.trade_date <= %(day)s)"
    " OR (o.time_in_force = '6' AND coalesce(o.expire_date, o.expire_at::date) <= %(day)s))"
)


class OverOrder(NamedTuple):
    """An order that is open although its time is over. ``ord_status`` None: the venue has said nothing of it."""

    order_id: UUID
    ref: str
    request_state: str
    ord_status: str | None
    trade_date: date


def list_over_orders(*, mic: str, day: date, forces: Collection[str], limit: int = 500) -> Sequence[OverOrder]:
    """Orders of the market whose time in force ended with ``day`` or before and that are open still, oldest first."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT o.id, o.ref, o.request_state, o.ord_status, o.trade_date FROM orders_order o "  # noqa: S608
            f"WHERE {_OPEN} AND {_OVER} ORDER BY o.id LIMIT %(limit)s",
            {"mic": mic, "day": day, "forces": sorted(forces), "limit": limit},
        )
        return [OverOrder(*row) for row in cursor.fetchall()]


def count_carried_orders(*, mic: str, day: date, forces: Collection[str]) -> int:
    """Open orders of the market that go on after ``day``."""
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM orders_order o WHERE {_OPEN} AND NOT {_OVER}",  # noqa: S608
            {"mic": mic, "day": day, "forces": sorted(forces)},
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def find_open_of(order_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of the orders that are open."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute("SELECT id FROM orders_order WHERE is_open AND id = ANY(%s::uuid[])", [list(order_ids)])
        return frozenset(row[0] for row in cursor.fetchall())
