"""What is due without a report of its own: orders that wake with the day, what stands still for too long, staged replaces."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from journal.bulk import raw_cursor

_DONE = "ord_status IN ('3', 'B') AND time_in_force IN ('1', '6')"


def find_markets_of_done() -> list[str]:
    """The markets of good-till orders that are done for a day."""
    with raw_cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT instrument_snapshot ->> 'mic' FROM orders_order WHERE {_DONE} ORDER BY 1")  # noqa: S608
        return [str(row[0]) for row in cursor.fetchall()]


def find_orders_to_wake(*, mic: str, day: date, limit: int) -> list[UUID]:
    """Good-till orders of the market that are done for a day and were last looked at for one before ``day``."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT id FROM orders_order WHERE {_DONE} AND instrument_snapshot ->> 'mic' = %s "  # noqa: S608
            "AND coalesce(state_date, trade_date) < %s ORDER BY id LIMIT %s",
            [mic, day, limit],
        )
        return [row[0] for row in cursor.fetchall()]


class StandingStill(NamedTuple):
    """A request of ours, or an order pending at its venue, that has been in one state for long."""

    order_id: UUID
    ref: str
    desk_id: int
    cl_ord_id: str
    kind: str
    state: str
    since: datetime


_STILL_OURS = """
SELECT o.id, o.ref, o.desk_id, r.cl_ord_id, r.kind, r.state, coalesce(r.released_at, r.captured_at)
  FROM orders_orderrequest r JOIN orders_order o ON o.id = r.order_id
 WHERE r.state = %s AND r.state IN ('captured', 'pending_authorisation', 'released')
   AND r.captured_at < %s AND coalesce(r.released_at, r.captured_at) < %s
   AND NOT EXISTS (SELECT FROM orders_stuckmark m WHERE m.order_id = o.id AND m.cl_ord_id = r.cl_ord_id
                      AND m.state = r.state AND m.moved_at IS NULL)
 ORDER BY r.captured_at, r.id LIMIT %s
"""
_STILL_THERE = """
SELECT DISTINCT o.id, o.ref, o.desk_id, '', 'order', o.ord_status, o.updated_at
  FROM orders_orderrequest r JOIN orders_order o ON o.id = r.order_id
 WHERE r.state IN ('handed_over', 'unknown') AND r.handed_over_at < %s AND o.ord_status = %s AND o.updated_at < %s
   AND NOT EXISTS (SELECT FROM orders_stuckmark m WHERE m.order_id = o.id AND m.cl_ord_id = ''
                      AND m.state = o.ord_status AND m.moved_at IS NULL)
 ORDER BY 7, 1 LIMIT %s
"""
_MOVED = """
SELECT m.id, o.id, o.ref, m.cl_ord_id, m.state
  FROM orders_stuckmark m JOIN orders_order o ON o.id = m.order_id
  LEFT JOIN orders_orderrequest r ON r.cl_ord_id = m.cl_ord_id AND m.cl_ord_id <> ''
 WHERE m.moved_at IS NULL AND m.state IS DISTINCT FROM coalesce(r.state, o.ord_status)
 ORDER BY m.id LIMIT %s
"""


def find_standing_still(*, state: str, at_venue: bool, before: datetime, limit: int) -> list[StandingStill]:
    """What has been in ``state`` since before ``before`` and was not told yet: requests of ours, or orders at a venue."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(*(
            (_STILL_THERE, [before, state, before, limit]) if at_venue else (_STILL_OURS, [state, before, before, limit])
        ))  # fmt: skip
        return [StandingStill(*row) for row in cursor.fetchall()]


class Moved(NamedTuple):
    """A matter that was told to stand still and has moved."""

    mark_id: int
    order_id: UUID
    ref: str
    cl_ord_id: str
    state: str


def find_moved_on(*, limit: int) -> list[Moved]:
    """What was told to stand still and does not any more."""
    with raw_cursor() as cursor:
        cursor.execute(_MOVED, [limit])
        return [Moved(*row) for row in cursor.fetchall()]


_STAGED_DUE = """
SELECT r.id FROM orders_orderrequest r JOIN orders_order o ON o.id = r.order_id
 WHERE r.state = 'released' AND r.kind = 'replace' AND r.payload ->> 'staged' = 'true'
   AND (NOT o.is_open OR EXISTS (
       SELECT FROM orders_orderrequest c WHERE c.order_id = r.order_id AND c.kind = 'cancel' AND c.seq > r.seq
          AND c.state IN ('refused', 'withdrawn', 'rejected')))
 ORDER BY r.captured_at, r.id LIMIT %s
"""


def find_staged_due(*, limit: int) -> list[UUID]:
    """Staged replaces whose order is over, or whose cancel came to nothing."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_STAGED_DUE, [limit])
        return [row[0] for row in cursor.fetchall()]
