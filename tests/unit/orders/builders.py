"""Short ways to say what the venue said, for tests of single situations."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from kernel.fix import ExecType, OrdStatus
from orders.domain.changes import Folded
from orders.domain.derive import Derived, derive
from orders.domain.facts import NO_FACTS, OrderFacts
from orders.domain.fold import fold, request_sent
from orders.domain.report import Position, Report
from orders.domain.state import RequestFact

DAY = date(2026, 1, 5)
NEXT_DAY = DAY + timedelta(days=1)


def number(value: str | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def sent(
    *,
    qty: str | int | None = 1000,
    tif: str = "0",
    cl_ord_id: str = "X",
    price: str | int | None = 10,
) -> OrderFacts:
    """An order whose NEW went out as X: 1,000 at 10 for the day unless said."""
    new = RequestFact("new", cl_ord_id, None, number(qty), number(price), None, tif)
    return request_sent(NO_FACTS, new)


def replace(facts: OrderFacts, cl_ord_id: str, orig: str, qty: int | None, price: int | None = None) -> OrderFacts:
    return request_sent(facts, RequestFact("replace", cl_ord_id, orig, number(qty), number(price)))


def cancel(facts: OrderFacts, cl_ord_id: str, orig: str) -> OrderFacts:
    return request_sent(facts, RequestFact("cancel", cl_ord_id, orig))


def report(
    seq: int,
    kind: str,
    said: str,
    *,
    cl: str | None = "X",
    orig: str | None = None,
    qty: str | int = 0,
    px: str | int = 10,
    exec_id: str | None = None,
    ref: str = "",
    order_qty: int | None = None,
    price: int | None = None,
    cum: int | None = None,
    leaves: int | None = None,
    reason: str = "",
    day: date = DAY,
    identity: str | None = None,
    epoch: str = "1",
    venue_order_id: str | None = "V-X",
) -> Report:
    """One message of the venue: ``kind`` is ExecType, or R for a cancel reject."""
    moment = datetime(day.year, day.month, day.day, 9, 0, seq % 60, tzinfo=UTC)
    exec_type = None if kind == "R" else ExecType(kind)
    exec_id = exec_id if exec_id is not None else f"E{seq}"
    return Report(
        msg_type="9" if kind == "R" else "8",
        position=Position(epoch, seq),
        identity=identity or f"{exec_id}|{kind}|{seq}",
        received_at=moment,
        event_at=moment,
        trade_date=day,
        exec_type=exec_type,
        ord_status=OrdStatus(said) if said else None,
        cl_ord_id=cl,
        orig_cl_ord_id=orig,
        venue_order_id=venue_order_id,
        exec_id=exec_id,
        exec_ref_id=ref,
        order_qty=number(order_qty),
        price=number(price),
        last_qty=Decimal(qty),
        last_px=Decimal(px),
        cum_qty=number(cum),
        leaves_qty=number(leaves),
        restatement_reason=reason if kind == "D" else "",
        reject_code="" if kind == "D" else reason,
    )


def after(facts: OrderFacts, *reports: Report) -> OrderFacts:
    for one in reports:
        facts = fold(facts, one).facts
    return facts


def last(facts: OrderFacts, *reports: Report) -> Folded:
    """What the last of the reports changed."""
    return fold(after(facts, *reports[:-1]), reports[-1])


def on(facts: OrderFacts, day: date = DAY) -> Derived:
    return derive(facts, business_date=day)


def brief(facts: OrderFacts, day: date = DAY) -> tuple[str | None, Decimal | None, Decimal, Decimal, str | None]:
    """(ord_status, order_qty, cum_qty, leaves_qty, working ClOrdID)"""
    d = on(facts, day)
    return (d.ord_status, d.order_qty, d.cum_qty, d.leaves_qty, d.cl_ord_id)
