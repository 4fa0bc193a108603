"""The named reports, in the order in which a desk reads them."""

from __future__ import annotations

from kernel.errors import NotFound
from reconciliation.reports import accepted_orders, expected, fills, outages, positions
from reconciliation.reports.report import Report

REPORTS: dict[str, Report] = {
    one.name: one for one in (accepted_orders.REPORT, fills.REPORT, outages.REPORT, expected.REPORT, positions.REPORT)
}


def get_report(name: str) -> Report:
    """Raises NotFound REPORT_UNKNOWN."""
    found = REPORTS.get(name)
    if found is None:
        raise NotFound("REPORT_UNKNOWN", f"There is no report of that name; there are {', '.join(REPORTS)}.")
    return found
