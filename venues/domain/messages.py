"""The normalised messages of the house: what an adapter turns into a dialect and back.

Outbound intents are read from a released request's ``message`` payload; all decimals travel as text and come out as
``Decimal``. Inbound messages become :class:`orders.domain.report.Report`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from kernel.fix import OrdType, Side, TimeInForce


class IntentKind(StrEnum):
    """What is to be sent."""

    NEW = "new"
    REPLACE = "replace"
    CANCEL = "cancel"
    STATUS = "status"
    DONT_KNOW = "dk"


class ClaimedIntent(NamedTuple):
    """A waiting intent as its gateway holds it: locked, about to leave or to be refused."""

    id: int
    session_group: str
    kind: str
    order_id: UUID
    request_id: UUID
    cl_ord_id: str
    account_id: UUID
    adds_risk: bool
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """What goes to the wire. Prices in the listing's price unit; ``order_qty`` is total, executed included."""

    account: str
    symbol: str
    mic: str
    isin: str
    currency: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    order_qty: Decimal | None
    price: Decimal | None
    stop_px: Decimal | None
    min_qty: Decimal | None
    max_floor: Decimal | None
    expire_at: datetime | None
    expire_date: date | None
    locate_ref: str
    capacity: str
    handling: str


@dataclass(frozen=True, slots=True)
class OutboundIntent:
    """One message to be sent once, under one ClOrdID. ``cum_qty`` is what is executed so far, for leaves dialects."""

    kind: IntentKind
    cl_ord_id: str
    orig_cl_ord_id: str
    venue_order_id: str
    terms: Terms
    transact_time: datetime
    cum_qty: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class DontKnow:
    """One trade of the venue that we do not recognise. ``reason`` is DKReason (127)."""

    venue_order_id: str
    exec_id: str
    reason: str
    text: str
    symbol: str
    isin: str
    mic: str
    side: str
    order_qty: Decimal | None
    last_qty: Decimal
    last_px: Decimal


def dont_know_from_payload(payload: Mapping[str, Any]) -> DontKnow:
    """From the payload of an intent. Raises KeyError or ValueError when it is not one."""
    message = payload["message"]
    return DontKnow(
        venue_order_id=payload["venue_order_id"],
        exec_id=payload["exec_id"],
        reason=payload["dk_reason"],
        text=payload["text"],
        symbol=message["symbol"],
        isin=message["isin"],
        mic=message["mic"],
        side=message["side"],
        order_qty=_decimal(message["order_qty"]),
        last_qty=Decimal(payload["last_qty"]),
        last_px=Decimal(payload["last_px"]),
    )


def _decimal(value: Any) -> Decimal | None:
    return None if value in (None, "") else Decimal(str(value))


def terms_from_message(message: Mapping[str, Any]) -> Terms:
    """Terms from the ``message`` of a released request. Raises KeyError or ValueError when the payload is not one."""
    expire_at = message.get("expire_at")
    expire_date = message.get("expire_date")
    return Terms(
        account=str(message.get("account") or ""),
        symbol=str(message["symbol"]),
        mic=str(message["mic"]),
        isin=str(message.get("isin") or ""),
        currency=str(message.get("currency") or ""),
        side=Side(message["side"]),
        ord_type=OrdType(message["ord_type"]),
        time_in_force=TimeInForce(message["time_in_force"]),
        order_qty=_decimal(message.get("order_qty")),
        price=_decimal(message.get("price")),
        stop_px=_decimal(message.get("stop_px")),
        min_qty=_decimal(message.get("min_qty")),
        max_floor=_decimal(message.get("max_floor")),
        expire_at=datetime.fromisoformat(expire_at) if expire_at else None,
        expire_date=date.fromisoformat(expire_date) if expire_date else None,
        locate_ref=str(message.get("locate_ref") or ""),
        capacity=str(message.get("capacity") or ""),
        handling=str(message.get("handling") or "1"),
    )
