"""Book what a counterparty reported in a file: an execution, or that an order is over, through the road of every report.

Called by the room that had two people decide about it, in their transaction. The order is locked first, and what is known of
it then decides: a record whose execution is here by now is not booked.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from kernel.errors import Conflict
from kernel.ids import new_id
from orders.domain.facts import facts_from_json
from orders.domain.filed import Filed, Target, end_of, execution_of
from orders.domain.report import Report
from orders.models import Execution, FiledReport, Order, OrderRequest, VenueName
from orders.services._holds import lock_order_whole
from orders.services.apply_reports import apply_reports


def book_filed_report(*, at: datetime, order_id: UUID, filed: Filed, is_execution: bool, request_id: UUID) -> UUID:
    """The id of the record. ``request_id`` is the approved request (a trigger asks for it).

    Raises NotFound ORDER_UNKNOWN, Conflict: FILED_KNOWN, and as ``orders.domain.filed`` says; then nothing is kept.
    """
    with transaction.atomic():
        order, requests, _ = lock_order_whole(order_id)
        report = (execution_of if is_execution else end_of)(filed, target_of(order, requests), at=at)
        _require_news(order, report)
        row = FiledReport.objects.create(
            id=new_id(), order=order, identity=report.identity, exec_id=report.exec_id if is_execution else "",
            request_id=request_id, source=filed.source, file=filed.file, sha256=filed.sha256, line=filed.line,
            raw=filed.raw, said=_said(report), filed_at=at,
        )  # fmt: skip
        if apply_reports(reports=[report], at=at).applied != 1:
            raise Conflict("FILED_KNOWN", f"{order.ref} knows this report already.")
    return row.id


def check_filed_report(*, at: datetime, order_id: UUID, filed: Filed, is_execution: bool) -> Report:
    """What would be booked on the facts of now; nothing is locked or written. Raises as ``book_filed_report`` does."""
    order = Order.objects.filter(id=order_id).first()
    if order is None:
        raise Conflict("ORDER_UNKNOWN", "There is no such order.")
    report = (execution_of if is_execution else end_of)(filed, target_of(order, list(order.requests.all())), at=at)
    _require_news(order, report)
    return report


def target_of(order: Order, requests: list[OrderRequest]) -> Target:
    """The order with every name it is known by, and the place of the last thing we heard of it."""
    facts = facts_from_json(order.facts)
    further = VenueName.objects.filter(order=order).values_list("venue_order_id", flat=True)
    names = {request.cl_ord_id for request in requests} | {order.cl_ord_id}
    return Target(
        cl_ord_id=order.cl_ord_id or "",
        names=frozenset(name for name in names if name),
        venue_ids=frozenset(name for name in {*further, order.venue_order_id} if name),
        venue_order_id=order.venue_order_id or "",
        side=order.side,
        cum_qty=order.cum_qty,
        is_open=order.is_open,
        trade_date=order.trade_date,
        session_group=order.session_group,
        place=facts.facts[-1].place if facts.facts else facts.behind.place,
    )


def _require_news(order: Order, report: Report) -> None:
    known = FiledReport.objects.filter(order=order, identity=report.identity).exists()
    if report.exec_id:
        same = Execution.objects.filter(order=order, exec_id=report.exec_id)
        later = Execution.objects.filter(order=order, exec_ref_id=report.exec_id)
        known = known or same.exists() or later.exists()
    if known:
        raise Conflict("FILED_KNOWN", f"{order.ref} has execution {report.exec_id or report.identity} already.")


def _said(report: Report) -> list[str]:
    kind = report.exec_type.value if report.exec_type else ""
    return [kind, format(report.last_qty, "f"), format(report.last_px, "f")]
