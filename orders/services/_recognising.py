"""An execution that a file told first arrives over a session: it takes the name it has here already, and so counts once.

Known by its order and ExecID alone, and only when quantity and price are the same; the first report that fits claims the
record, so that a venue's next execution under the same ExecID is one of its own. One that says something else is counted
too, and told: somebody decides which of the two is busted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from journal.bulk import update_rows
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from kernel.fix import ExecType
from kernel.numbers import plain
from orders.domain.filed import FILE, same_trade
from orders.domain.report import Report
from orders.models import FiledReport
from orders.selectors.filed import FiledTrade, find_filed

_KINDS = frozenset({ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT})
DIFFERS = "FILED_EXECUTION_DIFFERS"


@dataclass(frozen=True, slots=True)
class Heard:
    """A record of a file and the report that tells the same."""

    filed: FiledTrade
    report: Report


def recognise(by_order: dict[UUID, list[Report]], *, actor: str, at: datetime) -> None:
    """Rename in place what files told first, keep what was heard; the orders are locked. One statement when there is nothing."""
    filed = find_filed({order_id: [r.exec_id for r in reports] for order_id, reports in by_order.items()})
    if not filed:
        return
    heard: list[Heard] = []
    for order_id, reports in by_order.items():
        by_order[order_id] = [_named(order_id, report, filed, heard, actor, at) for report in reports]
    rows = [(one.filed.id, one.report.identity, at, one.report.wire_message_id) for one in heard]
    update_rows(FiledReport, rows, key=("id",), fields=("heard_as", "heard_at", "heard_in"))


def _named(
    order_id: UUID,
    report: Report,
    filed: Mapping[tuple[UUID, str], Sequence[FiledTrade]],
    heard: list[Heard],
    actor: str,
    at: datetime,
) -> Report:
    if report.exec_type not in _KINDS or report.identity.startswith(FILE):
        return report
    claimed = {one.filed.id for one in heard}
    for one in filed.get((order_id, report.exec_id), ()):
        if one.exec_type != report.exec_type or (
            (one.heard_as or one.id in claimed) and one.heard_as != report.identity
        ):
            continue
        if not same_trade(report, qty=one.qty, px=one.px):
            if not one.heard_as:
                _tell(one, report, actor, at)
            continue
        if not one.heard_as:
            heard.append(Heard(one, report))
        return replace(report, identity=one.identity)
    return report


def _tell(filed: FiledTrade, report: Report, actor: str, at: datetime) -> None:
    said = f"{plain(report.last_qty)} at {plain(report.last_px)}"
    raise_anomaly(
        anomaly=Anomaly(
            kind=DIFFERS,
            severity=Severity.HIGH,
            subject_type="order",
            subject_id=str(filed.order_id),
            sentence=f"Execution {report.exec_id} was booked from {filed.file}, line {filed.line}, as {plain(filed.qty)} at "
            f"{plain(filed.px)}; its session now says {said}. Both are counted: ask which of the two is to be busted.",
            dedupe_key=f"filed:{filed.id}:{report.identity}",
            evidence={"exec_id": report.exec_id, "file": filed.file, "line": filed.line},
        ),
        actor=actor,
        at=at,
    )
