"""A venue's report as a fact in FIX 4.4 words, whatever dialect it was spoken in. Made by an adapter, folded by the core."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from kernel.fix import ExecType, OrdStatus
from kernel.numbers import ZERO


@dataclass(frozen=True, slots=True)
class Position:
    """Where a report stands in its stream: epochs sort as text, then MsgSeqNum (34)."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Report:
    """One execution report (35=8), order cancel reject (35=9), or session/business reject (35=3, 35=j) that names a request.

    Quantities in units of the instrument, prices in its price unit. None means the venue did not say.
    ``exec_type`` is None for the rejects. 4.2 partial fills and fills arrive here as TRADE, ExecTransType 1 and 2 as
    TRADE_CANCEL and TRADE_CORRECT, 3 as ORDER_STATUS. ``mapping`` names the version of the adapter's rules by which the
    raw message was read.
    """

    msg_type: str
    position: Position
    identity: str
    received_at: datetime
    event_at: datetime
    trade_date: date
    exec_type: ExecType | None = None
    ord_status: OrdStatus | None = None
    cl_ord_id: str | None = None
    orig_cl_ord_id: str | None = None
    venue_order_id: str | None = None
    exec_id: str = ""
    exec_ref_id: str = ""
    order_qty: Decimal | None = None
    price: Decimal | None = None
    stop_px: Decimal | None = None
    last_qty: Decimal = ZERO
    last_px: Decimal = ZERO
    cum_qty: Decimal | None = None
    leaves_qty: Decimal | None = None
    avg_px: Decimal | None = None
    restatement_reason: str = ""
    reject_code: str = ""
    text: str = ""
    last_mkt: str = ""
    undated: bool = False
    """The venue did not say the trade date: ``trade_date`` is UTC's until the market is known, then the market's own."""
    poss_resend: bool = False
    poss_dup: bool = False
    wire_message_id: int | None = None
    session: str = ""
    mapping: str = ""
    asked_for: str = ""
    """On a status answer that proves it: the ClOrdID of the request that had been sent before the question left."""
    symbol: str = ""
    security_id: str = ""
    market: str = ""
    side: str = ""
    """What is traded, as the venue names it (55, 48, 207, 54): only a report on no order of ours is read by it."""
    inferred: str = ""
    """Not the venue's word but our conclusion from it: ``expired``. Any later word of the venue outweighs it."""
    raw_sha256: str = ""
    """Digest of the message as it was stored, so that the sealed event vouches for the raw text too."""


def dated_in(report: Report, zone: ZoneInfo) -> Report:
    """The report with the market's own date where the venue did not say one: at 22:30 UTC it is the next day in Sydney."""
    if not report.undated:
        return report
    day = report.event_at.astimezone(zone).date()
    return report if day == report.trade_date else replace(report, trade_date=day)
