"""A record of a counterparty's file as the report it stands for: the same words, another road. Pure.

It is placed right after the last thing we heard of the order, so whatever the venue says later outweighs it. Its identity
begins with ``~file``: no session is called so, and it sorts after every name at the same place.

Invariants: without an ExecID there is no execution, without the order's name no report; nothing is filled in that the
record does not say. A state is only taken over when the record's executed quantity is ours: no fill follows from a state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from kernel.errors import Conflict
from kernel.fix import ExecType, MsgType, OrdStatus
from kernel.numbers import ZERO, plain
from orders.domain.report import Position, Report

FILE = "~file"
_KINDS = {
    "": ExecType.TRADE,
    "trade": ExecType.TRADE,
    "bust": ExecType.TRADE_CANCEL,
    "correction": ExecType.TRADE_CORRECT,
    "f": ExecType.TRADE,
    "h": ExecType.TRADE_CANCEL,
    "g": ExecType.TRADE_CORRECT,
}
_ENDS = {"canceled": ExecType.CANCELED, "4": ExecType.CANCELED, "expired": ExecType.EXPIRED, "c": ExecType.EXPIRED}
_STATUS = {ExecType.CANCELED: OrdStatus.CANCELED, ExecType.EXPIRED: OrdStatus.EXPIRED}
_WORDS = {"F": "trade", "H": "bust", "G": "correction"}


@dataclass(frozen=True, slots=True)
class Filed:
    """One record with where it stands: ``values`` by column of its kind (``reconciliation.domain.records``)."""

    source: str
    file: str
    sha256: str
    line: int
    raw: str
    values: Mapping[str, Any]

    def text(self, name: str) -> str:
        """What the record says of a column; empty where it does not."""
        value = self.values.get(name)
        return "" if value is None else str(value).strip()


@dataclass(frozen=True, slots=True)
class Target:
    """The order as the report must fit it. ``names`` are all its ClOrdIDs, ``venue_ids`` all OrderIDs it is known by."""

    cl_ord_id: str
    names: frozenset[str]
    venue_ids: frozenset[str]
    venue_order_id: str
    side: str
    cum_qty: Decimal
    is_open: bool
    trade_date: date
    session_group: str
    place: tuple[str, int]


def execution_of(filed: Filed, target: Target, *, at: datetime) -> Report:
    """The trade, bust or correction that the record reports. Raises Conflict: FILED_WITHOUT_ID, FILED_NOT_OF_ORDER, FILED_UNREADABLE."""
    exec_id = filed.text("exec_id")
    if not exec_id:
        raise Conflict("FILED_WITHOUT_ID", "The record names no execution: nobody reported one.")
    kind = _KINDS.get(filed.text("exec_type").lower())
    if kind is None:
        raise _unreadable("exec_type", filed.text("exec_type"))
    if kind is not ExecType.TRADE and not filed.text("exec_ref_id"):
        raise Conflict("FILED_WITHOUT_ID", f"The record is a {_WORDS[kind.value]} and does not say of which execution.")
    qty, px = _number(filed, "last_qty"), _number(filed, "last_px")
    if kind is ExecType.TRADE and (qty <= 0 or px <= 0):
        raise _unreadable("last_qty", f"{plain(qty)} at {plain(px)}")
    return _report(filed, target, at, kind, f"{FILE}|{exec_id}|{_WORDS[kind.value]}", last_qty=qty, last_px=px)


def end_of(filed: Filed, target: Target, *, at: datetime) -> Report:
    """That the order is over, as the record says. Raises Conflict FILED_NOT_OVER, FILED_FILLS_MISSING, FILED_NOT_OF_ORDER, ORDER_CLOSED."""
    kind = _ENDS.get(filed.text("ord_status").lower())
    if kind is None:
        raise Conflict(
            "FILED_NOT_OVER",
            f"The record does not say that the order is over: {filed.text('ord_status') or 'nothing'}.",
        )
    if not target.is_open:
        raise Conflict("ORDER_CLOSED", "The order is over with us already.")
    said = _number(filed, "cum_qty") if filed.text("cum_qty") else None
    if said != target.cum_qty:
        told = "nothing" if said is None else plain(said)
        raise Conflict(
            "FILED_FILLS_MISSING",
            f"They say {told} of it is executed, we have {plain(target.cum_qty)}: no fill follows from a state.",
        )
    identity = f"{FILE}|{filed.sha256[:16]}|{filed.line}"
    return _report(filed, target, at, kind, identity, ord_status=_STATUS[kind])


def same_trade(report: Report, *, qty: Decimal, px: Decimal) -> bool:
    """Whether a report over a session says what the file had said under the same ExecID."""
    return (report.last_qty, report.last_px) == (qty, px)


def _report(filed: Filed, target: Target, at: datetime, kind: ExecType, identity: str, **said: Any) -> Report:
    name, venue_id = filed.text("cl_ord_id"), filed.text("venue_order_id")
    if name not in target.names and venue_id not in target.venue_ids:
        raise Conflict(
            "FILED_NOT_OF_ORDER", "The record names neither a request of the order nor its name at the venue."
        )
    if filed.text("side") and not _same_side(filed.text("side"), target.side):
        raise Conflict("FILED_NOT_OF_ORDER", "The record is of the other side.")
    epoch, seq = target.place
    happened = _instant(filed.text("transact_time")) or at
    return Report(
        msg_type=MsgType.EXECUTION_REPORT.value,
        position=Position(epoch, seq),
        identity=identity,
        received_at=at,
        event_at=happened,
        trade_date=_date(filed.text("trade_date")) or happened.date(),
        undated=not filed.text("trade_date"),
        exec_type=kind,
        cl_ord_id=name if name in target.names else target.cl_ord_id,
        venue_order_id=venue_id or target.venue_order_id or None,
        exec_id=filed.text("exec_id"),
        exec_ref_id=filed.text("exec_ref_id"),
        text=f"from {filed.file}, line {filed.line}"[:200],
        session=target.session_group,
        mapping="file",
        raw_sha256=filed.sha256,
        **said,
    )


def _same_side(said: str, side: str) -> bool:
    words = {"buy": "1", "sell": "2", "sell short": "5", "sell short exempt": "6"}
    return words.get(said.lower().replace("_", " "), said) == side


def _number(filed: Filed, name: str) -> Decimal:
    text = filed.text(name)
    try:
        value = Decimal(text) if text else ZERO
    except InvalidOperation as error:
        raise _unreadable(name, text) from error
    if not value.is_finite() or value < 0:
        raise _unreadable(name, text)
    return value


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise _unreadable("transact_time", text) from error
    if found.tzinfo is None:
        raise _unreadable("transact_time", text)
    return found


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise _unreadable("trade_date", text) from error


def _unreadable(name: str, text: str) -> Conflict:
    return Conflict("FILED_UNREADABLE", f"The record's {name} cannot be read: {text or 'empty'}.", {"column": name})
