"""What a recovery reads: the venue's answers as stored, our open orders, and our state where an answer stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from authorisation.domain.principal import Principal
from journal.bulk import raw_cursor
from orders.permissions import visible_desks, visible_groups
from orders.selectors import states_where_told
from venues.domain.expiring import DAY_FORCES
from venues.domain.recovering import WithUs
from venues.models import Recovery


class Heard(NamedTuple):
    """An inbound message that may answer a question of a recovery."""

    seq: int
    id: int
    msg_type: str
    raw: str


class OpenOrder(NamedTuple):
    """An order of ours that the venue acknowledged and that works, as far as we know."""

    order_id: UUID
    ref: str
    account_id: UUID
    cl_ord_id: str
    venue_order_id: str
    ord_status: str
    order_qty: Decimal | None
    cum_qty: Decimal
    leaves_qty: Decimal
    price: Decimal | None

    def with_us(self) -> WithUs:
        """For the comparison; terms that are on the way are only known of the walked state."""
        return WithUs(self.ord_status, self.order_qty, self.cum_qty, self.leaves_qty, self.price)


class DayOrder(NamedTuple):
    """An open order that lasts for one day."""

    order: OpenOrder
    trade_date: date
    mic: str


class OpenDifference(NamedTuple):
    """A difference that stands, with what asking again needs."""

    id: int
    kind: str
    order_id: UUID | None
    account_id: UUID | None
    ref: str
    cl_ord_id: str
    venue_order_id: str
    attempts: int
    next_at: datetime


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """A difference for a person; ``ref`` is empty for an order that is none of ours."""

    kind: str
    order_id: UUID | None
    ref: str
    venue_order_id: str
    ours: Mapping[str, str]
    theirs: Mapping[str, str]
    found_at: datetime
    resolved_at: datetime | None
    resolution: str


_OPEN_ORDERS = """
SELECT o.id, o.ref, o.account_id, coalesce(o.cl_ord_id, r.cl_ord_id), coalesce(o.venue_order_id, ''),
       coalesce(o.ord_status, ''), o.order_qty, o.cum_qty, o.leaves_qty, o.price
  FROM orders_order o
  JOIN orders_orderrequest r ON r.order_id = o.id AND r.kind = 'new' AND r.state = 'accepted'
  JOIN venues_handover h ON h.cl_ord_id = r.cl_ord_id
 WHERE o.is_open AND o.session_group = %s AND h.session = %s
"""
_DAY_ORDERS = (
    _OPEN_ORDERS.replace("o.price\n", "o.price, o.trade_date, o.instrument_snapshot ->> 'mic'\n")
    + " AND o.time_in_force = ANY(%s)"
)
_NAMED_ORDERS = """
SELECT o.id, o.ref, o.account_id, coalesce(o.cl_ord_id, ''), coalesce(o.venue_order_id, ''),
       coalesce(o.ord_status, ''), o.order_qty, o.cum_qty, o.leaves_qty, o.price
  FROM orders_order o
 WHERE o.session_group = %(group)s AND (o.venue_order_id = ANY(%(venue_order_ids)s)
    OR o.id IN (SELECT order_id FROM orders_orderrequest WHERE cl_ord_id = ANY(%(cl_ord_ids)s)))
"""
_MESSAGES = """
SELECT i.order_id, (i.payload -> 'message')::text FROM venues_wireintent i
 WHERE i.kind = 'new' AND i.request_id IN (
       SELECT id FROM orders_orderrequest WHERE order_id = ANY(%s::uuid[]) AND kind = 'new')
"""
_OPEN_DIFFERENCES = """
SELECT d.id, d.kind, d.order_id, d.account_id, coalesce(o.ref, ''), d.cl_ord_id, d.venue_order_id, d.attempts, d.next_at
  FROM venues_recoverydifference d LEFT JOIN orders_order o ON o.id = d.order_id
 WHERE d.session = %s AND d.resolved_at IS NULL ORDER BY d.id
"""
_LAST_ANSWERS = """
SELECT d.id, w.msg_seq_num, w.id, w.msg_type, w.raw FROM venues_recoverydifference d
  CROSS JOIN LATERAL (
    SELECT * FROM venues_wiremessage w
     WHERE w.session = d.session AND w.epoch = %s AND w.direction = 'in' AND w.msg_type = '8'
       AND ((d.cl_ord_id <> '' AND w.cl_ord_id = d.cl_ord_id AND w.cl_ord_id <> '')
         OR (d.venue_order_id <> '' AND w.venue_order_id = d.venue_order_id AND w.venue_order_id <> ''))
       AND (w.raw LIKE '%%' || chr(1) || '150=I' || chr(1) || '%%' OR w.raw LIKE '%%' || chr(1) || '20=3' || chr(1) || '%%')
     ORDER BY w.id DESC LIMIT 1) w
 WHERE d.session = %s AND d.resolved_at IS NULL
"""


def read_heard(*, session: str, epoch: str, after: int, limit: int) -> list[Heard]:
    """Inbound execution reports and rejects behind a number, in order."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT msg_seq_num, id, msg_type, raw FROM venues_wiremessage WHERE session = %s AND epoch = %s "
            "AND direction = 'in' AND msg_seq_num > %s AND msg_type IN ('8', '3', 'j') ORDER BY msg_seq_num LIMIT %s",
            [session, epoch, after, limit],
        )
        return [Heard(*row) for row in cursor.fetchall()]


def list_open_orders(*, session: str, group: str) -> list[OpenOrder]:
    """Every order that went out on the session, was acknowledged, and works as far as we know."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_OPEN_ORDERS, [group, session])
        return [OpenOrder(*row) for row in cursor.fetchall()]


def list_day_orders(*, session: str, group: str) -> list[DayOrder]:
    """The open orders of a session that end with their trading day."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_DAY_ORDERS, [group, session, list(DAY_FORCES)])
        return [DayOrder(OpenOrder(*row[:-2]), row[-2], row[-1]) for row in cursor.fetchall()]


def find_named_orders(*, group: str, cl_ord_ids: Collection[str], venue_order_ids: Collection[str]) -> list[OpenOrder]:
    """Orders of the group that answers name, open or over."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            _NAMED_ORDERS,
            {"group": group, "cl_ord_ids": sorted(cl_ord_ids), "venue_order_ids": sorted(venue_order_ids)},
        )
        return [OpenOrder(*row) for row in cursor.fetchall()]


def messages_of(order_ids: Collection[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """The ``message`` each order was sent with: a question names the same instrument."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_MESSAGES, [sorted(order_ids)])
        return {row[0]: orjson.loads(row[1]) for row in cursor.fetchall()}


def list_open_differences(*, session: str) -> list[OpenDifference]:
    """Differences of a session that stand, oldest first."""
    with raw_cursor() as cursor:
        cursor.execute(_OPEN_DIFFERENCES, [session])
        return [OpenDifference(*row) for row in cursor.fetchall()]


def last_answers(*, session: str, epoch: str) -> dict[int, Heard]:
    """The venue's last status answer in this epoch for each open difference of a session, by the difference's id."""
    with raw_cursor() as cursor:
        cursor.execute(_LAST_ANSWERS, [epoch, session])
        return {row[0]: Heard(*row[1:]) for row in cursor.fetchall()}


def states_at(places: Mapping[UUID, tuple[str, int]]) -> dict[UUID, WithUs]:
    """Our state of each order as of a place in the venue's stream."""
    return {
        order_id: WithUs(
            ord_status=told.derived.ord_status.value if told.derived.ord_status else "",
            order_qty=told.derived.order_qty,
            cum_qty=told.derived.cum_qty,
            leaves_qty=told.derived.leaves_qty,
            price=told.derived.price,
            changing=told.changing,
        )
        for order_id, told in states_where_told(places).items()
    }


def latest_recoveries(*, sessions: Sequence[str]) -> dict[str, Recovery]:
    """The last recovery of each session."""
    rows = Recovery.objects.filter(session__in=list(sessions)).order_by("session", "-started_at").distinct("session")
    return {row.session: row for row in rows}


def list_differences(actor: Principal, *, session: str, limit: int = 200) -> list[DifferenceRow]:
    """Differences of a session that the actor may see, those that stand first, then the newest; strangers are all seen."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT d.kind, d.order_id, coalesce(o.ref, ''), d.venue_order_id, d.ours::text, d.theirs::text, d.found_at, "
            "d.resolved_at, d.resolution FROM venues_recoverydifference d "
            "LEFT JOIN orders_order o ON o.id = d.order_id "
            "LEFT JOIN accounts_tradingaccount a ON a.id = o.account_id "
            "WHERE d.session = %s AND (d.order_id IS NULL OR (o.desk_id = ANY(%s) AND a.group_id = ANY(%s))) "
            "ORDER BY d.resolved_at IS NOT NULL, d.id DESC LIMIT %s",
            [session, sorted(visible_desks(actor)), sorted(visible_groups(actor)), limit],
        )
        return [
            DifferenceRow(*(*row[:4], orjson.loads(row[4]), orjson.loads(row[5]), *row[6:]))
            for row in cursor.fetchall()
        ]
