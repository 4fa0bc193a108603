"""What a venue does of its own accord: busts, corrections, wrong fills, cancels nobody asked for.

Pure. Each function changes the order and its book, and returns what the member is told. An order that is not in a
state for the deed gives no entries.
"""

from __future__ import annotations

from datetime import datetime

from kernel.fix import ExecType
from venues.simulator import reports
from venues.simulator.floor import TradingFloor
from venues.simulator.reports import Entry
from venues.simulator.units import to_text
from venues.simulator.venue_order import Ended, VenueOrder


def bust(floor: TradingFloor, order: VenueOrder, exec_ref_id: str, *, at: datetime) -> list[Entry]:
    """Withdraw an execution (ExecType H); what was filled is to be done again unless the order has ended."""
    return _amend(floor, order, exec_ref_id, kind="bust", exec_type=ExecType.TRADE_CANCEL, qty=0, px=None, at=at)


def correct(
    floor: TradingFloor, order: VenueOrder, exec_ref_id: str, *, qty: int | None, px: int | None, at: datetime
) -> list[Entry]:
    """Change quantity or price of an execution (ExecType G); None leaves it as it was."""
    return _amend(floor, order, exec_ref_id, kind="correction", exec_type=ExecType.TRADE_CORRECT, qty=qty, px=px, at=at)


def over_fill(floor: TradingFloor, order: VenueOrder, extra: int, *, at: datetime) -> list[Entry]:
    """Execute all that is open and ``extra`` units on top."""
    if not order.is_open:
        return []
    floor.books[order.symbol].cancel(order.order_id)
    qty = order.leaves + extra
    order.terms.cum += qty
    return [floor.execute(order, qty, _price_of(floor, order), at=at)]


def cancel_unasked(floor: TradingFloor, order: VenueOrder, *, at: datetime) -> list[Entry]:
    """Cancel an order nobody asked to cancel."""
    return [floor.finish(order, Ended.CANCELED, at, "Canceled by the venue")] if order.is_open else []


def reject_late(floor: TradingFloor, order: VenueOrder, *, at: datetime) -> list[Entry]:
    """Reject an order after it was accepted and before anything was executed."""
    return [floor.reject(order, reason="0", text="Rejected after acceptance", at=at)] if order.is_open else []


def fill_late(floor: TradingFloor, order: VenueOrder, qty: int, *, at: datetime) -> list[Entry]:
    """Report an execution of an order that was canceled before; the order stays canceled."""
    if order.ended is not Ended.CANCELED:
        return []
    wanted = min(qty, order.terms.qty - order.cum) or qty
    return [floor.execute(order, wanted, _price_of(floor, order), at=at)]


def _amend(
    floor: TradingFloor,
    order: VenueOrder,
    exec_ref_id: str,
    *,
    kind: str,
    exec_type: ExecType,
    qty: int | None,
    px: int | None,
    at: datetime,
) -> list[Entry]:
    trade = order.trades.get(exec_ref_id)
    if trade is None or trade.qty == 0:
        return []
    was_qty, was_px = trade.qty, trade.px
    new_qty, new_px = was_qty if qty is None else qty, was_px if px is None else px
    exec_id = floor.next_exec_id()
    order.amend_trade(exec_ref_id, exec_id, new_qty, new_px)
    back = was_qty - new_qty
    told_qty = was_qty if kind == "bust" else new_qty
    again = floor.rebook(order, back)
    extra = {"exec_ref_id": exec_ref_id, "last_qty": to_text(told_qty), "last_px": to_text(new_px)}
    report = reports.execution_report(order, exec_type=exec_type, exec_id=exec_id, at=at, extra=extra)
    told = reports.trade_entry(order, report, kind=kind, exec_id=exec_id, ref=exec_ref_id, qty=told_qty, px=new_px)
    return [told, *floor.digest(again, at=at)]


def _price_of(floor: TradingFloor, order: VenueOrder) -> int:
    return order.terms.price if order.terms.price is not None else floor.books[order.symbol].last
