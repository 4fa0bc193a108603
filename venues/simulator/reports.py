"""What the venue says: reports as dicts of FIX field names to text, each with the state of its order at that moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kernel.fix import ExecType, OrdStatus
from venues.simulator.commands import Unusable
from venues.simulator.units import to_text
from venues.simulator.venue_order import VenueOrder, snapshot

Report = dict[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened at the venue: the report it sends, and the order and execution as they then stood.

    ``kind`` is one of order, execution, bust, correction, triggered, request_rejected, status, reject. FIX 4.4 has no
    report for a triggered stop: its ``report`` is empty and nothing is sent.
    """

    kind: str
    session: str
    report: Report
    order: dict[str, Any] | None = None
    execution: dict[str, str] | None = None


def stamp(at: datetime) -> str:
    """UTCTimestamp with milliseconds."""
    moment = at.astimezone(UTC)
    return f"{moment:%Y%m%d-%H:%M:%S}.{moment.microsecond // 1000:03d}"


def execution_report(
    order: VenueOrder, *, exec_type: ExecType, exec_id: str, at: datetime, extra: Mapping[str, str] | None = None
) -> Report:
    """An execution report (35=8) of an order as it stands; ``extra`` fields override."""
    terms = order.terms
    report: Report = {
        **order.echo,
        "msg_type": "8",
        "order_id": order.order_id,
        "exec_id": exec_id,
        "exec_type": exec_type.value,
        "ord_status": order.status.value,
        "cl_ord_id": order.cl_ord_id,
        "side": order.side.value,
        "order_qty": to_text(terms.qty),
        "ord_type": terms.ord_type.value,
        "time_in_force": terms.time_in_force.value,
        **order.numbers(),
        "transact_time": stamp(at),
    }
    if terms.price is not None:
        report["price"] = to_text(terms.price)
    if terms.stop_px is not None:
        report["stop_px"] = to_text(terms.stop_px)
    if order.expire_date is not None:
        report["expire_date"] = f"{order.expire_date:%Y%m%d}"
    if order.expire_at is not None:
        report["expire_time"] = stamp(order.expire_at)
    if extra:
        report.update(extra)
    return report


def order_entry(order: VenueOrder, report: Report) -> Entry:
    """An entry about an order without an execution."""
    return Entry(kind="order", session=order.session, report=report, order=snapshot(order))


def triggered(order: VenueOrder) -> Entry:
    """An entry about a stop that became active."""
    return Entry(kind="triggered", session=order.session, report={}, order=snapshot(order))


def trade_entry(order: VenueOrder, report: Report, *, kind: str, exec_id: str, ref: str, qty: int, px: int) -> Entry:
    """An entry about an execution (``kind`` execution, bust or correction) of ``qty`` at ``px``."""
    execution = {"kind": kind, "exec_id": exec_id, "exec_ref_id": ref, "last_qty": to_text(qty), "last_px": to_text(px)}
    return Entry(kind=kind, session=order.session, report=report, order=snapshot(order), execution=execution)


def cancel_reject(
    *,
    session: str,
    cl_ord_id: str,
    orig_cl_ord_id: str,
    response_to: str,
    reason: str,
    text: str,
    order: VenueOrder | None,
    at: datetime,
) -> Entry:
    """An order cancel reject (35=9): ``response_to`` 1 cancel, 2 replace; ``reason`` is CxlRejReason (102)."""
    report: Report = {
        "msg_type": "9",
        "order_id": order.order_id if order else "NONE",
        "cl_ord_id": cl_ord_id,
        "orig_cl_ord_id": order.cl_ord_id if order else orig_cl_ord_id,
        "ord_status": (order.status if order else OrdStatus.REJECTED).value,
        "cxl_rej_response_to": response_to,
        "cxl_rej_reason": reason,
        "text": text,
        "transact_time": stamp(at),
    }
    return Entry(
        kind="request_rejected", session=session, report=report, order=snapshot(order) if order is not None else None
    )


def unknown_order(*, session: str, cl_ord_id: str, at: datetime, extra: Mapping[str, str]) -> Entry:
    """The answer to a status request about an order the venue never saw."""
    report: Report = {
        "msg_type": "8",
        "order_id": "NONE",
        "exec_id": "0",
        "exec_type": ExecType.ORDER_STATUS.value,
        "ord_status": OrdStatus.REJECTED.value,
        "ord_rej_reason": "5",
        "side": "1",
        "order_qty": "0",
        "leaves_qty": "0",
        "cum_qty": "0",
        "avg_px": "0",
        "transact_time": stamp(at),
        "text": "Unknown order",
        **extra,
    }
    if cl_ord_id:
        report["cl_ord_id"] = cl_ord_id
    return Entry(kind="status", session=session, report=report)


def business_reject(command: Unusable) -> Entry:
    """A business message reject (35=j)."""
    report: Report = {
        "msg_type": "j",
        "ref_seq_num": command.ref_seq_num,
        "ref_msg_type": command.ref_msg_type,
        "business_reject_reason": command.reason,
        "text": command.text,
    }
    if command.ref_id:
        report["business_reject_ref_id"] = command.ref_id
    return Entry(kind="reject", session=command.session, report=report)
