"""The incidents of the venue and their answer keys: what happened, what the house must have made of it, where a person reads on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from kernel.clock import utc_now
from kernel.ids import new_id
from oms_project.demo_day.stage import ROUTE, Missing, Stage
from orders.domain.results import CaptureResult
from orders.models import Order
from orders.services.cancel_order import cancel_order
from venues.models import FixSession, Recovery

CANCELED, FILLED = "4", "2"


@dataclass(frozen=True, slots=True)
class Incident:
    """``play`` makes it happen and returns what the answer key saw, in a sentence; it raises Missing where the key fails."""

    name: str
    title: str
    runbook: str
    play: Callable[[Stage], str]


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise Missing(sentence)


def _filled(stage: Stage, captured: CaptureResult, qty: Decimal) -> Order:
    return stage.order(captured, f"filled with {qty}", lambda order: order.cum_qty >= qty)


def duplicate_report(stage: Stage) -> str:
    """The venue sends one execution report twice: it counts once."""
    qty = stage.quantity()
    stage.script(rules=[{"do": "duplicate", "times": 0, "when": {"kind": "trade", "order_qty": str(qty)}}])
    captured = stage.buy(qty)
    order = _filled(stage, captured, qty)
    told = sum((one.effective_qty for one in stage.executions(captured)), Decimal(0))
    _require(order.cum_qty == qty == told, f"{order.ref} counts {order.cum_qty} of {qty}, its executions {told}")
    return f"{order.ref} is filled with {qty:f} once, though every report of a trade came twice."


def fill_after_cancel(stage: Stage) -> str:
    """A trade comes after the order was canceled: it is booked, and somebody is told."""
    captured = _resting(stage)
    _cancel(stage, captured)
    stage.order(captured, "canceled", lambda order: order.ord_status == CANCELED)
    stage.script(deeds=[{"do": "late_fill", "cl_ord_id": captured.cl_ord_id, "qty": "10"}])
    order = stage.order(captured, "with the late trade", lambda order: order.cum_qty == 10)
    item = stage.item("LATE_TRADE", captured)
    _require(order.ord_status == CANCELED and not order.leaves_qty, f"{order.ref} came to life again")
    return f"{order.ref} stays canceled with 10 executed, and {item.kind} waits for a person."


def over_fill(stage: Stage) -> str:
    """The venue executes more than was ordered: the excess lies in suspense until two people decide."""
    qty = stage.quantity()
    stage.script(rules=[{"do": "over_fill", "qty": "7", "when": {"kind": "new", "order_qty": str(qty)}}])
    captured = stage.buy(qty, away=True)
    order = _filled(stage, captured, qty + 7)
    stage.item("OVERFILL", captured)
    held = sum((one.suspense_qty for one in stage.executions(captured)), Decimal(0))
    _require(held == 7, f"{order.ref}: {held} in suspense, not 7")
    return f"{order.ref}: 7 beyond {qty:f} lie in suspense, and nobody's account has them."


def bust(stage: Stage) -> str:
    """The venue takes a trade back: quantity and money are as before it, to the last minor unit."""
    captured = _resting(stage)
    _cancel(stage, captured)
    stage.order(captured, "canceled", lambda order: order.ord_status == CANCELED)
    stage.script(deeds=[{"do": "late_fill", "cl_ord_id": captured.cl_ord_id, "qty": "10"}])
    stage.order(captured, "with a trade", lambda order: order.cum_qty == 10)
    stage.script(deeds=[{"do": "bust", "cl_ord_id": captured.cl_ord_id}])
    order = stage.order(captured, "without it again", lambda order: order.cum_qty == 0)
    _require(not stage.executions(captured), f"{order.ref} still counts an execution")
    return f"{order.ref}: the trade was taken back and nothing of it counts."


def lost_answer(stage: Stage) -> str:
    """The venue's first answer is never sent: the house asks, and never sends the order again."""
    qty = stage.quantity()
    stage.script(rules=[{"do": "silent", "when": {"kind": "new", "order_qty": str(qty)}}])
    captured = stage.buy(qty, away=True)
    order = stage.order(captured, "known to work", lambda order: order.ord_status == "0")
    names = order.requests.values_list("cl_ord_id", flat=True)
    _require(list(names) == [captured.cl_ord_id], f"{order.ref} went out more than once: {list(names)}")
    _cancel(stage, captured)
    return f"{order.ref} works, as the venue said when it was asked; it was sent once."


def session_drop(stage: Stage) -> str:
    """The line is cut while a report is on its way: after the logon everything is compared and nothing is lost."""
    qty = stage.quantity()
    began = utc_now()
    stage.script(rules=[{"do": "drop", "when": {"kind": "trade", "order_qty": str(qty)}}])
    captured = stage.buy(qty)
    session = stage.order(captured, "routed", lambda order: bool(order.session_group)).session_group
    order = _filled(stage, captured, qty)
    ended = stage.until(
        f"a recovery of {session}",
        lambda: Recovery.objects.filter(session__startswith=session, finished_at__gte=began).first(),
    )
    stage.until(
        f"{session} logged on", lambda: FixSession.objects.filter(name=ended.session, state="logged_on").exists()
    )
    return f"{order.ref} is filled with {qty:f}; {ended.session} compared {ended.orders} orders after the cut: {ended.state}."


def limit_breach(stage: Stage) -> str:
    """An order beyond every mark is refused before the wire, with its reasons, and kept."""
    captured = stage.buy(Decimal(900_000_000))
    _require(captured.outcome == "refused", f"{captured.ref} was {captured.outcome}")
    order = Order.objects.get(pk=captured.order_id)
    _require(order.ord_status is None and not order.is_open, f"{order.ref} reached the venue")
    codes = ", ".join(sorted(check.code for check in captured.checks if check.verdict.name == "REFUSE"))
    return f"{captured.ref} was refused: {codes}."


def _resting(stage: Stage) -> CaptureResult:
    captured = stage.buy(stage.quantity(), away=True)
    stage.order(captured, "working", lambda order: order.ord_status == "0")
    return captured


def _cancel(stage: Stage, captured: CaptureResult) -> None:
    cancel_order(
        actor=stage.dealer(),
        at=utc_now(),
        idempotency_key=str(new_id()),
        route=ROUTE,
        order_id=captured.order_id,
        reason="demo day",
    )


AT_THE_VENUE: tuple[Incident, ...] = (
    Incident("duplicate-report", "One report comes twice", "R-04", duplicate_report),
    Incident("fill-after-cancel", "A trade after the cancel", "R-04", fill_after_cancel),
    Incident("over-fill", "More is executed than was ordered", "R-03", over_fill),
    Incident("bust", "A trade is taken back", "R-04", bust),
    Incident("lost-answer", "The venue's answer is lost", "R-01", lost_answer),
    Incident("session-drop", "The line is cut in the middle of a trade", "R-02", session_drop),
    Incident("limit-breach", "An order beyond every limit", "R-07", limit_breach),
)
