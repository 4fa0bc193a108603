"""All reads of orders. What an actor may not see does not exist: desk and account group must both be granted.

Lists are read by key (newest first, from a cursor), never by offset, one branch a desk, so that a page costs the same
however many orders there are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from journal.bulk import raw_cursor
from orders.domain.account_row import AccountRow
from orders.domain.report import Report
from orders.models import OrderRequest
from risk.domain.answers import CheckAnswer, answer_from_json

_BY_CL_ORD_ID = """
SELECT r.cl_ord_id, r.order_id, o.account_id
  FROM orders_orderrequest r JOIN orders_order o ON o.id = r.order_id
 WHERE r.cl_ord_id = ANY(%s::text[])
"""
_BY_VENUE_ID = """
SELECT session_group, venue_order_id, id, account_id
  FROM orders_order WHERE session_group = ANY(%s::text[]) AND venue_order_id = ANY(%s::text[])
"""


@dataclass(frozen=True, slots=True)
class ReportOwner:
    """The order a report is about, and the account whose lock comes first."""

    order_id: UUID
    account_id: UUID


def groups_of_session(session: str) -> tuple[str, ...]:
    """Session groups a session may belong to: its own name, and what stands before each of its dashes."""
    parts = session.split("-")
    return tuple("-".join(parts[:count]) for count in range(len(parts), 0, -1))


def find_orders_of_reports(reports: Sequence[Report]) -> list[ReportOwner | None]:
    """The owner of each report, in order; None for reports of orders we do not have. At most two statements.

    By ClOrdID, then OrigClOrdID; else by the venue's order id on the session group the order went to, if just one.
    """
    names = {r.cl_ord_id for r in reports if r.cl_ord_id} | {r.orig_cl_ord_id for r in reports if r.orig_cl_ord_id}
    by_name: dict[str, ReportOwner] = {}
    with raw_cursor(binary=True) as cursor:
        if names:
            cursor.execute(_BY_CL_ORD_ID, [sorted(names)])
            by_name = {row[0]: ReportOwner(row[1], row[2]) for row in cursor.fetchall()}
        owners = [by_name.get(r.cl_ord_id or "") or by_name.get(r.orig_cl_ord_id or "") for r in reports]
        open_ids = {r.venue_order_id for r, owner in zip(reports, owners, strict=True) if owner is None}
        wanted = sorted(name for name in open_ids if name and name != "NONE")
        if not wanted:
            return owners
        groups = sorted({group for r in reports for group in groups_of_session(r.session)})
        cursor.execute(_BY_VENUE_ID, [groups, wanted])
        by_venue: dict[tuple[str, str], list[ReportOwner]] = {}
        for group, venue_order_id, order_id, account_id in cursor.fetchall():
            by_venue.setdefault((group, venue_order_id), []).append(ReportOwner(order_id, account_id))
    for place, report in enumerate(reports):
        if owners[place] is None and report.venue_order_id:
            keys = [(group, report.venue_order_id) for group in groups_of_session(report.session)]
            matches = [owner for key in keys for owner in by_venue.get(key, [])]
            owners[place] = matches[0] if len(matches) == 1 else None
    return owners


def find_execution_ids(order_ids: Collection[UUID]) -> dict[tuple[UUID, str], UUID]:
    """Ids of the orders' executions by (order, identity)."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT order_id, identity, id FROM orders_execution WHERE order_id = ANY(%s::uuid[])",
            [sorted(set(order_ids))],
        )
        return {(row[0], row[1]): row[2] for row in cursor.fetchall()}


def find_orders_of_requests(request_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Order id of each request; unknown requests are absent."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT id, order_id FROM orders_orderrequest WHERE id = ANY(%s::uuid[])", [sorted(set(request_ids))]
        )
        return dict(cursor.fetchall())


def find_account_of_order(order_id: UUID) -> tuple[UUID, UUID] | None:
    """Account and instrument of an order: their locks come before the order's."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT account_id, (instrument_snapshot ->> 'instrument_id')::uuid FROM orders_order WHERE id = %s",
            [order_id],
        )
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None


class BoundaryRow(NamedTuple):
    """A request with what of its order and account decides whether it may still be sent."""

    kind: str
    state: str
    payload: Mapping[str, Any]
    is_open: bool
    order_qty: Decimal | None
    cum_qty: Decimal
    price: Decimal | None
    stop_px: Decimal | None
    time_in_force: str
    strategy: str
    listing_id: UUID
    desk_id: int
    owner_id: int
    account_id: UUID
    account_code: str
    account_state: str
    short_allowed: bool
    client_id: UUID
    client_active: bool


_BOUNDARY = """
SELECT r.kind, r.state, r.payload::text, o.is_open, o.order_qty, o.cum_qty, o.price, o.stop_px, o.time_in_force,
       o.strategy, o.listing_id, o.desk_id, o.owner_id, a.id, a.code, a.state, a.short_allowed, c.id, c.active
  FROM orders_orderrequest r
  JOIN orders_order o ON o.id = r.order_id
  JOIN accounts_tradingaccount a ON a.id = o.account_id
  JOIN accounts_client c ON c.id = a.client_id
 WHERE r.id = %s
"""


def find_boundary_row(request_id: UUID) -> BoundaryRow | None:
    """The request as the last boundary sees it, in one statement."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_BOUNDARY, [request_id])
        row = cursor.fetchone()
    return BoundaryRow(row[0], row[1], orjson.loads(row[2]), *row[3:]) if row else None


def find_pending_authorisations(order_id: UUID) -> list[UUID]:
    """Authorisation requests that wait for a decision about this order, ascending: their locks come first."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT authorisation_id FROM orders_orderrequest WHERE order_id = %s AND state = 'pending_authorisation' "
            "AND authorisation_id IS NOT NULL ORDER BY authorisation_id",
            [order_id],
        )
        return [row[0] for row in cursor.fetchall()]


_ACCOUNTS = """
SELECT a.id, a.code, a.state, a.short_allowed, a.group_id, g.desk_id, a.client_id, c.active
  FROM accounts_tradingaccount a
  JOIN accounts_accountgroup g ON g.id = a.group_id
  JOIN accounts_client c ON c.id = a.client_id
 WHERE a.code = ANY(%s::text[])
"""


def find_account_rows(codes: Collection[str]) -> dict[str, AccountRow]:
    """Accounts by code, whoever asks: visibility is judged row by row by the capture."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_ACCOUNTS, [sorted(set(codes))])
        return {row[1]: AccountRow(*row) for row in cursor.fetchall()}


def find_checks(request_ids: Collection[UUID]) -> dict[UUID, tuple[CheckAnswer, ...]]:
    """The stored check answers of requests."""
    rows = OrderRequest.objects.filter(id__in=list(request_ids)).values_list("id", "checks")
    return {request_id: tuple(answer_from_json(item) for item in checks) for request_id, checks in rows}
