"""What is known of orders behind the sum in their rows: executions by identity, and the reports the journal keeps."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from journal.bulk import raw_cursor
from journal.selectors import told_in_streams
from orders.domain.report import Report
from orders.domain.report_json import report_of
from orders.domain.suspense import Acceptance, acceptance_of

Known = dict[tuple[UUID, str], tuple[UUID, date]]
"""By order and identity: id and trade date of an execution."""

_EXECUTIONS_OF_REPORTS = """
SELECT e.order_id, e.identity, e.id, e.trade_date
  FROM unnest(%s::uuid[], %s::text[]) AS r(order_id, identity)
  JOIN orders_execution e ON e.order_id = r.order_id AND e.identity = r.identity
"""


def find_executions_of_reports(by_order: Mapping[UUID, Sequence[Report]]) -> Known:
    """Ids and trade dates of the executions that the reports name by their identity, by (order, identity)."""
    pairs = [(order_id, report.identity) for order_id, reports in by_order.items() for report in reports]
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_EXECUTIONS_OF_REPORTS, [[pair[0] for pair in pairs], [pair[1] for pair in pairs]])
        return {(row[0], row[1]): (row[2], row[3]) for row in cursor.fetchall()}


def find_executions_of_orders(order_ids: Collection[UUID]) -> Known:
    """Ids and trade dates of all executions of the orders by (order, identity)."""
    if not order_ids:
        return {}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT order_id, identity, id, trade_date FROM orders_execution WHERE order_id = ANY(%s::uuid[])",
            [sorted(set(order_ids))],
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in cursor.fetchall()}


def find_acceptances(order_ids: Collection[UUID]) -> dict[UUID, tuple[Acceptance, ...]]:
    """What two people ever accepted of each order's excess, as the journal keeps it."""
    found: dict[UUID, tuple[Acceptance, ...]] = {}
    for event in told_in_streams([f"order:{order_id}" for order_id in order_ids], kind="ExcessAccepted"):
        order_id = UUID(event.payload["order_id"])
        found[order_id] = (*found.get(order_id, ()), acceptance_of(event.payload))
    return found


def find_reports(order_ids: Collection[UUID]) -> dict[UUID, list[Report]]:
    """Every report ever applied to the orders, as the journal keeps it, in the order of arrival."""
    found: dict[UUID, list[Report]] = {order_id: [] for order_id in order_ids}
    for event in told_in_streams([f"order:{order_id}" for order_id in found], kind="ReportApplied"):
        found[UUID(event.payload["order_id"])].append(report_of(event))
    return found
