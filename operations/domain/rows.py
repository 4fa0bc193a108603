"""One order as a blotter row: the same list of values in the snapshot and in every live change.

Numbers travel as decimal text, so that no browser float ever touches them; times as milliseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from kernel.fix import OrdType, Side, TimeInForce
from kernel.numbers import plain
from operations.domain.shown_status import shown_status
from orders.domain.suspense import excess_units

COLUMNS = (
    "id", "ref", "at", "account", "symbol", "side", "qty", "price", "type", "tif", "cum", "leaves", "avg",
    "state", "family", "status", "venue", "owner", "updated", "open", "attention", "seq", "desk", "owner_id",
    "stop", "unit", "currency", "divisor", "cl_ord_id", "venue_order_id", "client_ref", "source", "request", "filled",
)  # fmt: skip
"""Names of a row's values, in order. Sent once with every snapshot."""

SIDE_WORDS: dict[Side, str] = {
    Side.BUY: "BUY",
    Side.SELL: "SELL",
    Side.SELL_SHORT: "SHORT",
    Side.SELL_SHORT_EXEMPT: "SHORT EX",
}
ORD_TYPE_WORDS: dict[OrdType, str] = {
    OrdType.MARKET: "MKT",
    OrdType.LIMIT: "LMT",
    OrdType.STOP: "STP",
    OrdType.STOP_LIMIT: "STL",
}
TIME_IN_FORCE_WORDS: dict[TimeInForce, str] = {
    TimeInForce.DAY: "DAY",
    TimeInForce.GTC: "GTC",
    TimeInForce.AT_OPEN: "OPG",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.GTD: "GTD",
    TimeInForce.AT_CLOSE: "CLS",
}


def millis(value: datetime) -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return int(value.timestamp() * 1000)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def order_row(order: Mapping[str, Any]) -> list[Any]:
    """The row of one order; ``order`` has the keys of ``operations.selectors.ROW_FIELDS``."""
    cum: Decimal = order["cum_qty"]
    shown = shown_status(
        ord_status=order["ord_status"],
        request_state=order["request_state"],
        overfilled=order["overfilled"],
        excess_accepted=not excess_units(cum_qty=cum, order_qty=order["order_qty"], accepted=order["accepted_excess"]),
    )
    return [
        str(order["id"]),
        order["ref"],
        millis(order["entered_at"]),
        order["account__code"],
        order["listing__symbol"],
        SIDE_WORDS[Side(order["side"])],
        _text(order["order_qty"]),
        _text(order["price"]),
        ORD_TYPE_WORDS[OrdType(order["ord_type"])],
        TIME_IN_FORCE_WORDS[TimeInForce(order["time_in_force"])],
        plain(cum),
        plain(order["leaves_qty"]),
        _text(order["avg_px"]) if cum else None,
        shown.code,
        shown.family,
        shown.text,
        order["listing__market_id"],
        order["owner__username"],
        millis(order["updated_at"]),
        1 if order["is_open"] else 0,
        order["needs_attention"],
        order["last_event_seq"],
        order["desk__code"],
        order["owner_id"],
        _text(order["stop_px"]),
        order["listing__price_unit"],
        order["listing__currency"],
        order["listing__price_divisor"],
        order["cl_ord_id"] or "",
        order["venue_order_id"] or "",
        order["client_order_id"],
        order["source"],
        order["request_state"],
        1 if cum else 0,
    ]
