"""A report as the plain JSON that ReportApplied keeps, and back. The journal's copy of what the venue said.

What the venue did not say is left out. Times and trading day are the event's own and stand beside the report.
"""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from operator import attrgetter
from typing import Any

from journal.domain.records import EventRecord
from kernel.fix import ExecType, OrdStatus
from kernel.numbers import plain
from orders.domain.report import Position, Report

_WORDS = (
    "exec_type",
    "ord_status",
    "cl_ord_id",
    "orig_cl_ord_id",
    "venue_order_id",
    "exec_id",
    "exec_ref_id",
    "restatement_reason",
    "reject_code",
    "text",
    "last_mkt",
    "session",
    "mapping",
    "asked_for",
    "inferred",
    "raw_sha256",
)
_FIGURES = ("order_qty", "price", "stop_px", "last_qty", "last_px", "cum_qty", "leaves_qty", "avg_px")
_MARKS = ("poss_resend", "poss_dup", "wire_message_id")
_words, _figures, _marks = attrgetter(*_WORDS), attrgetter(*_FIGURES), attrgetter(*_MARKS)
_NUMBERS = frozenset(_FIGURES)
_FIELDS = frozenset(item.name for item in fields(Report))


def report_to_json(report: Report) -> dict[str, Any]:
    """The report as plain JSON, what the venue did not say left out."""
    said: dict[str, Any] = {
        "msg_type": str(report.msg_type),
        "epoch": report.position.epoch,
        "seq": report.position.seq,
        "identity": report.identity,
    }
    for name, word in zip(_WORDS, _words(report), strict=True):
        if word:
            said[name] = str(word)
    for name, figure in zip(_FIGURES, _figures(report), strict=True):
        if figure is not None:
            said[name] = plain(figure)
    for name, mark in zip(_MARKS, _marks(report), strict=True):
        if mark is not None and mark is not False:
            said[name] = mark
    return said


def report_of(event: EventRecord) -> Report:
    """The report a ReportApplied event keeps, times and day from the event itself."""
    told = event.payload["report"]
    said: dict[str, Any] = {}
    for name, value in told.items():
        if name in _NUMBERS:
            said[name] = Decimal(value)
        elif name in _FIELDS:
            said[name] = value
    if "exec_type" in said:
        said["exec_type"] = ExecType(said["exec_type"])
    if "ord_status" in said:
        said["ord_status"] = OrdStatus(said["ord_status"])
    return Report(
        position=Position(told["epoch"], told["seq"]),
        received_at=event.received_at,
        event_at=event.event_at,
        trade_date=event.business_date,
        **said,
    )
