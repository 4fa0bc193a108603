"""What reports on an order that is none of ours amount to. Pure.

They are read like those of an order with no request of ours, so that duplicates, busts, corrections and their disorder come
out as they do everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from kernel.fix import Side
from orders.domain.facts import NO_FACTS
from orders.domain.fold import fold_many
from orders.domain.report import Report
from orders.domain.state import Exec

_SIDES = frozenset(side.value for side in Side)


def name_of(report: Report) -> str:
    """What the unknown order is called: the venue's OrderID, else a ClOrdID, else the report's own identity."""
    return report.venue_order_id or report.cl_ord_id or report.identity


def executions_of(reports: Iterable[Report]) -> tuple[Exec, ...]:
    """Its executions in the venue's order, at their latest version."""
    return fold_many(NO_FACTS, reports).facts.state.execs


def side_of(reports: Iterable[Report]) -> str:
    """The side the venue gives it, if all that say one say the same and it is one of ours."""
    said = {report.side for report in reports if report.side}
    return said.pop() if len(said) == 1 and said <= _SIDES else ""
