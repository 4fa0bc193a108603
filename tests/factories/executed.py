"""Orders with a life that came over the wire: raw messages in the inbox, read, mapped and applied as the house does it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from orders.domain.results import CaptureResult
from orders.models import Order
from orders.services.capture_order import capture_order
from orders.services.record_hand_over import record_hand_over
from tests.factories import AT, DeskWorld, terms
from venues.domain.fix_codec import format_message, utc_timestamp
from venues.models import WireMessage
from venues.services.consume_inbox import consume_inbox

SESSION = "T1-A"


def captured(world: DeskWorld, key: str = "k1", *, qty: int = 1000, at: datetime = AT) -> CaptureResult:
    """An order to buy at 72.50 that was handed over on the session."""
    result = capture_order(
        actor=world.dealer,
        at=at,
        idempotency_key=key,
        route="t",
        terms=terms(world, order_qty=Decimal(qty)),
        source="ticket",
    )
    record_hand_over(request_ids=[result.request_id], at=at)
    Order.objects.filter(pk=result.order_id).update(session_group="T1")
    return result


def venue_says(order: CaptureResult, number: int, fields: str, *, at: datetime) -> WireMessage:
    """One execution report in the inbox, ``fields`` as ``150=F|39=1|…``; the names are filled in."""
    said = [(int(tag), value) for tag, value in (field.split("=") for field in fields.split("|"))]
    ends = [(35, "8"), (34, str(number)), (49, "VENUE"), (56, "OMS"), (52, utc_timestamp(at)), (60, utc_timestamp(at))]
    names = [(37, f"V{order.cl_ord_id}"), (11, order.cl_ord_id or ""), (17, f"X{number}"), (55, "VOD"), (54, "1")]
    return WireMessage.objects.create(
        direction="in",
        session=SESSION,
        epoch="E1",
        msg_seq_num=number,
        msg_type="8",
        cl_ord_id=order.cl_ord_id or "",
        venue_order_id=f"V{order.cl_ord_id}",
        raw=format_message("FIX.4.4", [*ends, *names, *said]),
        sent_at=at,
        recorded_at=at,
    )


def filled(world: DeskWorld, key: str = "k1", *, qty: int = 1000, at: datetime = AT, number: int = 1) -> CaptureResult:
    """New, then a fill of 400 and one of the rest, a minute apart each, read one by one."""
    order, rest = captured(world, key, qty=qty, at=at), qty - 400
    said = (
        f"150=0|39=0|38={qty}|14=0|151={qty}|6=0",
        f"150=F|39=1|38={qty}|32=400|31=72.4|14=400|151={rest}|6=72.4",
        f"150=F|39=2|38={qty}|32={rest}|31=72.5|14={qty}|151=0|6=72.46",
    )
    for step, fields in enumerate(said):
        moment = at + timedelta(minutes=step + 1)
        venue_says(order, number + step, fields, at=moment)
        consume_inbox(session=SESSION, adapter_name="fix44", shards=None, limit=100, at=moment)
    return order
