"""Which order a report is about, and which kept reports wait for an order. By names alone, never by economics."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from journal.bulk import raw_cursor
from orders.domain.kept_report import report_of
from orders.domain.report import Report

_BY_CL_ORD_ID = """
SELECT r.cl_ord_id, r.order_id, o.account_id, o.session_group,
       EXISTS (SELECT FROM orders_unmatchedreport WHERE order_id IS NULL)
  FROM orders_orderrequest r JOIN orders_order o ON o.id = r.order_id
 WHERE r.cl_ord_id = ANY(%s::text[])
"""
_BY_VENUE_ID = """
SELECT session_group, venue_order_id, id, account_id
  FROM orders_order WHERE session_group = ANY(%s::text[]) AND venue_order_id = ANY(%s::text[])
 UNION
SELECT n.session_group, n.venue_order_id, o.id, o.account_id
  FROM orders_venuename n JOIN orders_order o ON o.id = n.order_id
 WHERE n.session_group = ANY(%s::text[]) AND n.venue_order_id = ANY(%s::text[])
"""
_WAITING = """
SELECT id, unknown_id, report::text FROM orders_unmatchedreport
 WHERE order_id IS NULL AND venue_order_id = ANY(%s::text[]) ORDER BY id
"""
_MATCHABLE = """
SELECT u.id, u.unknown_id, u.report::text FROM orders_unmatchedreport u
 WHERE u.order_id IS NULL AND u.id IN (
       SELECT w.id FROM orders_unmatchedreport w JOIN orders_orderrequest r ON r.cl_ord_id = w.cl_ord_id
        WHERE w.order_id IS NULL
        UNION ALL
       SELECT w.id FROM orders_unmatchedreport w JOIN orders_orderrequest r ON r.cl_ord_id = w.orig_cl_ord_id
        WHERE w.order_id IS NULL
        UNION ALL
       SELECT w.id FROM orders_unmatchedreport w JOIN orders_order o ON o.venue_order_id = w.venue_order_id
        WHERE w.order_id IS NULL
        UNION ALL
       SELECT w.id FROM orders_unmatchedreport w JOIN orders_venuename n ON n.venue_order_id = w.venue_order_id
        WHERE w.order_id IS NULL)
 ORDER BY u.id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class ReportOwner:
    """The order a report is about, and the account whose lock comes first."""

    order_id: UUID
    account_id: UUID
    session_group: str


class Correlated(NamedTuple):
    """The owner of each report, in order; None for reports of orders we do not have. ``waiting``: kept reports exist."""

    owners: list[ReportOwner | None]
    waiting: bool


class KeptReport(NamedTuple):
    """A report that waits for its order."""

    id: int
    unknown_id: UUID
    report: Report


def groups_of_session(session: str) -> tuple[str, ...]:
    """Session groups a session may belong to: its own name, and what stands before each of its dashes."""
    parts = session.split("-")
    return tuple("-".join(parts[:count]) for count in range(len(parts), 0, -1))


def find_orders_of_reports(reports: Sequence[Report]) -> Correlated:
    """By ClOrdID, then OrigClOrdID; else by the venue's order id on the session group the order went to, if just one.

    An order id that another of the reports gives to an order of ours counts as known. At most two statements.
    """
    names = {r.cl_ord_id for r in reports if r.cl_ord_id} | {r.orig_cl_ord_id for r in reports if r.orig_cl_ord_id}
    by_name: dict[str, ReportOwner] = {}
    waiting = False
    with raw_cursor(binary=True) as cursor:
        if names:
            cursor.execute(_BY_CL_ORD_ID, [sorted(names)])
            for name, order_id, account_id, group, some_wait in cursor.fetchall():
                by_name[name] = ReportOwner(order_id, account_id, group)
                waiting = some_wait
        owners = [by_name.get(r.cl_ord_id or "") or by_name.get(r.orig_cl_ord_id or "") for r in reports]
        unnamed = [r for r, owner in zip(reports, owners, strict=True) if owner is None and r.venue_order_id]
        if not unnamed:
            return Correlated(owners, waiting)
        by_venue = _taught(reports, owners)
        groups = sorted({group for r in unnamed for group in groups_of_session(r.session)})
        ids = sorted({r.venue_order_id for r in unnamed if r.venue_order_id})
        cursor.execute(_BY_VENUE_ID, [groups, ids, groups, ids])
        for group, venue_order_id, order_id, account_id in cursor.fetchall():
            owner = ReportOwner(order_id, account_id, group)
            by_venue.setdefault((group, venue_order_id), set()).add(owner)
    return Correlated([owner or _at_venue(r, by_venue) for r, owner in zip(reports, owners, strict=True)], waiting)


def _taught(reports: Sequence[Report], owners: Sequence[ReportOwner | None]) -> dict[tuple[str, str], set[ReportOwner]]:
    """The venue's order ids that these reports give to orders of ours, by session group and id."""
    found: dict[tuple[str, str], set[ReportOwner]] = {}
    for report, owner in zip(reports, owners, strict=True):
        if owner is not None and report.venue_order_id and owner.session_group in groups_of_session(report.session):
            found.setdefault((owner.session_group, report.venue_order_id), set()).add(owner)
    return found


def _at_venue(report: Report, by_venue: Mapping[tuple[str, str], set[ReportOwner]]) -> ReportOwner | None:
    if not report.venue_order_id:
        return None
    keys = [(group, report.venue_order_id) for group in groups_of_session(report.session)]
    matches = {owner for key in keys for owner in by_venue.get(key, ())}
    return matches.pop() if len(matches) == 1 else None


def find_waiting_reports(venue_order_ids: Collection[str]) -> list[KeptReport]:
    """Kept reports that name one of these order ids, on whatever session, oldest first."""
    if not venue_order_ids:
        return []
    return _kept(_WAITING, [sorted(set(venue_order_ids))])


def find_matchable_reports(*, limit: int) -> list[KeptReport]:
    """Kept reports with a name that an order of ours has by now."""
    return _kept(_MATCHABLE, [limit])


def _kept(sql: str, values: list[Any]) -> list[KeptReport]:
    with raw_cursor() as cursor:
        cursor.execute(sql, values)
        return [KeptReport(row[0], row[1], report_of(orjson.loads(row[2]))) for row in cursor.fetchall()]
