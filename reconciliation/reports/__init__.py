"""Named reports: each a question that operations asks every day, answered by one bounded statement over the tables."""

from reconciliation.reports.registry import REPORTS, get_report

__all__ = ["REPORTS", "get_report"]
