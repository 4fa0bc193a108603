"""Which requests have no answer, and what the venue was asked about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from journal.bulk import raw_cursor


@dataclass(frozen=True, slots=True)
class Silent:
    """A request handed over and not answered, without an open inquiry. ``state`` is handed_over or unknown."""

    request_id: UUID
    order_id: UUID
    state: str
    kind: str
    cl_ord_id: str
    session: str


@dataclass(frozen=True, slots=True)
class DueInquiry:
    """An inquiry whose time to ask has come, with what the question needs."""

    request_id: UUID
    order_id: UUID
    ref: str
    kind: str
    cl_ord_id: str
    venue_order_id: str
    attempts: int
    opened_at: datetime
    reviewed: bool
    message: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InquiryRow:
    """An open inquiry for a person."""

    request_id: UUID
    order_id: UUID
    ref: str
    kind: str
    cl_ord_id: str
    session: str
    reason: str
    attempts: int
    opened_at: datetime
    last_asked_at: datetime | None
    next_at: datetime
    review_at: datetime | None
    desk_id: int
    group_id: int


_SILENT = """
SELECT r.id, r.order_id, r.state, r.kind, r.cl_ord_id, h.session
  FROM orders_orderrequest r
  JOIN orders_order o ON o.id = r.order_id
  JOIN venues_handover h ON h.cl_ord_id = r.cl_ord_id
 WHERE r.state IN ('handed_over', 'unknown') AND r.handed_over_at <= %s AND o.session_group = %s
   AND NOT EXISTS (SELECT FROM venues_inquiry q WHERE q.request_id = r.id AND q.state = 'open')
 ORDER BY r.handed_over_at, r.id LIMIT %s
"""
_DUE = """
SELECT q.request_id, q.order_id, o.ref, q.kind, q.cl_ord_id, coalesce(o.venue_order_id, ''),
       q.attempts, q.opened_at, q.review_at IS NOT NULL, (i.payload -> 'message')::text
  FROM venues_inquiry q
  JOIN orders_order o ON o.id = q.order_id
  JOIN venues_handover h ON h.cl_ord_id = q.cl_ord_id
  JOIN venues_wireintent i ON i.id = h.intent_id
 WHERE q.state = 'open' AND q.session = %s AND q.next_at <= %s
 ORDER BY q.next_at, q.request_id LIMIT %s
"""
_OPEN = """
SELECT q.request_id, q.order_id, o.ref, q.kind, q.cl_ord_id, q.session, q.reason, q.attempts, q.opened_at,
       q.last_asked_at, q.next_at, q.review_at, o.desk_id, a.group_id
  FROM venues_inquiry q
  JOIN orders_order o ON o.id = q.order_id
  JOIN accounts_tradingaccount a ON a.id = o.account_id
 WHERE q.state = 'open' AND q.session = ANY(%s) AND o.desk_id = ANY(%s) AND a.group_id = ANY(%s)
 ORDER BY q.opened_at, q.request_id LIMIT %s
"""


def list_silent(*, group: str, before: datetime, limit: int) -> list[Silent]:
    """Requests of a group handed over at or before ``before``, not answered and not asked for yet, oldest first."""
    with raw_cursor() as cursor:
        cursor.execute(_SILENT, [before, group, limit])
        return [Silent(*row) for row in cursor.fetchall()]


def list_due_inquiries(*, session: str, at: datetime, limit: int) -> list[DueInquiry]:
    """What is to be asked on a session now, the longest due first."""
    with raw_cursor() as cursor:
        cursor.execute(_DUE, [session, at, limit])
        return [DueInquiry(*(*row[:9], orjson.loads(row[9]))) for row in cursor.fetchall()]


def list_open_inquiries(
    *, sessions: list[str], desks: list[int], groups: list[int], limit: int = 200
) -> list[InquiryRow]:
    """Open inquiries about orders of the given desks and account groups, oldest first."""
    with raw_cursor() as cursor:
        cursor.execute(_OPEN, [sessions, desks, groups, limit])
        return [InquiryRow(*row) for row in cursor.fetchall()]
