"""The day is over, the venue sends no expiry and lists its live orders: what it does not list has expired, we conclude.

The conclusion is a fact of its own kind, placed where the venue's list stands in its stream: whatever the venue says
after it outweighs it. A day order that the venue does list as live is a person's matter.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from journal.domain.records import Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.fix import ExecType, MsgType
from orders.domain.report import Position, Report
from orders.services.apply_reports import apply_reports
from venues.selectors.recoveries import DayOrder

ACTOR = "process:gateway"
DAY_ORDER_NOT_OVER = "DAY_ORDER_NOT_OVER"


def infer_expiries(
    *,
    session: str,
    place: tuple[str, int],
    gone: Collection[DayOrder],
    live: Collection[DayOrder],
    why: str,
    at: datetime,
) -> None:
    """``gone`` are not in the venue's list, which ends at ``place`` (epoch, MsgSeqNum); ``live`` are told, with ``why``."""
    epoch, seq = place
    reports = [
        Report(
            msg_type=MsgType.EXECUTION_REPORT.value,
            position=Position(epoch, seq),
            identity=f"{epoch}|inferred|{one.order.cl_ord_id}|{seq}",
            received_at=at,
            event_at=at,
            trade_date=one.trade_date,
            exec_type=ExecType.EXPIRED,
            cl_ord_id=one.order.cl_ord_id,
            session=session,
            inferred="expired",
        )
        for one in gone
    ]
    with transaction.atomic():
        apply_reports(reports=reports, at=at)
        drafts = [anomaly_draft(anomaly=_anomaly(session, one, why), actor=ACTOR, at=at) for one in live]
        append_to_stream(drafts=drafts, at=at)


def _anomaly(session: str, one: DayOrder, why: str) -> Anomaly:
    return Anomaly(
        kind=DAY_ORDER_NOT_OVER,
        severity=Severity.HIGH,
        subject_type="order",
        subject_id=str(one.order.order_id),
        sentence=f"{one.order.ref}: its day ended on {one.mic} and no expiry was sent on {session}; {why}",
        dedupe_key=f"day-order:{one.order.order_id}",
        evidence={"session": session, "trade_date": one.trade_date.isoformat()},
    )
