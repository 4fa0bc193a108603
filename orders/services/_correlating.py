"""Sort reports by order, kept ones with them that wait for just these orders, and remember every name a venue uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from journal.bulk import insert_rows
from orders.domain.applying import Applied
from orders.domain.report import Report
from orders.models import VenueName
from orders.selectors.correlation import ReportOwner, find_orders_of_reports, find_waiting_reports


@dataclass(slots=True)
class SortedOut:
    """Reports by order, their owners, what matches nothing, and which kept reports (by row) join which order."""

    by_order: dict[UUID, list[Report]] = field(default_factory=dict)
    owners: dict[UUID, ReportOwner] = field(default_factory=dict)
    unmatched: list[Report] = field(default_factory=list)
    joined: dict[int, UUID] = field(default_factory=dict)

    def add(self, report: Report, owner: ReportOwner) -> None:
        """One report of an order of ours."""
        self.by_order.setdefault(owner.order_id, []).append(report)
        self.owners[owner.order_id] = owner


def correlate(reports: Sequence[Report]) -> SortedOut:
    """Two or three statements; none of them for kept reports unless some wait."""
    found = find_orders_of_reports(reports)
    kept = []
    if found.waiting:
        taught = {r.venue_order_id for r, owner in zip(reports, found.owners, strict=True) if owner}
        kept = find_waiting_reports({name for name in taught if name})
        if kept:
            # Read together: what these reports teach, the kept ones are matched by, and by the same rules.
            found = find_orders_of_reports([*reports, *(one.report for one in kept)])
    result = SortedOut()
    for report, owner in zip(reports, found.owners[: len(reports)], strict=True):
        if owner is None:
            result.unmatched.append(report)
        else:
            result.add(report, owner)
    for one, owner in zip(kept, found.owners[len(reports) :], strict=True):
        if owner is not None:
            result.add(one.report, owner)
            result.joined[one.id] = owner.order_id
    return result


def write_names(sorted_out: SortedOut, done: Sequence[Applied]) -> None:
    """Keep the OrderIDs by which the venue called an order and that are not the one on its row."""
    rows = []
    for work in done:
        group = sorted_out.owners[work.order.id].session_group
        now = work.derived.venue_order_id or work.order.venue_order_id
        said = {report.venue_order_id for report in sorted_out.by_order[work.order.id]} | {work.order.venue_order_id}
        rows += [(group, name, work.order.id) for name in sorted(n for n in said if n and n != now and n != "NONE")]
    insert_rows(VenueName, rows, fields=("session_group", "venue_order_id", "order_id"), on_conflict="DO NOTHING")
