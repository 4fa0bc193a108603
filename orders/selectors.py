"""All reads of orders. What an actor may not see does not exist: desk and account group must both be granted.

Lists are read by key (newest first, from a cursor), never by offset, one branch a desk, so that a page costs the same
however many orders there are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from journal.bulk import raw_cursor
from orders.domain.report import Report

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


def find_account_of_order(order_id: UUID) -> UUID | None:
    """The account of an order: its lock comes before the order's."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute("SELECT account_id FROM orders_order WHERE id = %s", [order_id])
        row = cursor.fetchone()
    return row[0] if row else None
