"""What a member may ask of the venue, once its message has been read. Quantities and prices in units of 1e-8."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from kernel.fix import OrdType, Side, TimeInForce


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A new order (35=D). ``echo`` holds fields by their FIX name that every report repeats unchanged."""

    session: str
    cl_ord_id: str
    symbol: str
    mic: str
    isin: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    order_qty: int
    price: int | None = None
    stop_px: int | None = None
    min_qty: int = 0
    max_floor: int = 0
    expire_date: date | None = None
    expire_at: datetime | None = None
    poss_resend: bool = False
    echo: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplaceOrder:
    """A cancel/replace request (35=G). ``order_qty`` is total, executed included; None leaves a term as it is."""

    session: str
    cl_ord_id: str
    orig_cl_ord_id: str
    order_id: str
    side: Side | None
    ord_type: OrdType | None
    time_in_force: TimeInForce | None
    order_qty: int | None
    price: int | None = None
    stop_px: int | None = None
    max_floor: int | None = None
    expire_date: date | None = None
    expire_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """A cancel request (35=F)."""

    session: str
    cl_ord_id: str
    orig_cl_ord_id: str
    order_id: str


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """An order status request (35=H)."""

    session: str
    cl_ord_id: str
    order_id: str
    req_id: str
    echo: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MassStatusRequest:
    """An order mass status request (35=AF): all open orders of the session, or those of one symbol."""

    session: str
    req_id: str
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A message that cannot be carried out as it stands; answered with a business message reject (35=j).

    ``reason`` is BusinessRejectReason (380): 3 unsupported message type, 4 application not available, 5 field missing.
    """

    session: str
    ref_seq_num: str
    ref_msg_type: str
    ref_id: str
    reason: str
    text: str


Command = NewOrder | ReplaceOrder | CancelOrder | StatusRequest | MassStatusRequest | Unusable
