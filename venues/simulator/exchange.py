"""The exchange: what members may ask of a venue, and the reports that answer.

Pure: time arrives as an argument and everything said comes back as entries, in the order the venue says it. Nothing
is acknowledged before its entry exists, so whoever writes the entries down before sending them can rebuild the
exchange.

Invariants: a ClOrdID is used once per session; ExecIDs and OrderIDs never repeat, not even after a restart; an
order's CumQty is the sum of its executions as they now stand; only open orders are in a book.
"""

from __future__ import annotations

from datetime import datetime

from kernel.fix import ExecType, TimeInForce
from venues.simulator import reports, rules
from venues.simulator.commands import (
    CancelOrder,
    Command,
    MassStatusRequest,
    NewOrder,
    ReplaceOrder,
    StatusRequest,
    Unusable,
)
from venues.simulator.floor import TradingFloor
from venues.simulator.model import BookOrder, Phase
from venues.simulator.reports import Entry, Report
from venues.simulator.venue_order import Ended, VenueOrder

_KEEPABLE = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD)


class Exchange(TradingFloor):
    """One venue as its members see it."""

    # -- what members ask ----------------------------------------------------------------------------------------------

    def handle(self, command: Command, *, at: datetime) -> list[Entry]:
        """Carry out one request; everything the venue says because of it, to all members."""
        match command:
            case NewOrder():
                return self._new(command, at)
            case CancelOrder():
                return self._cancel(command, at)
            case ReplaceOrder():
                return self._replace(command, at)
            case StatusRequest():
                return [self._status(command, at)]
            case MassStatusRequest():
                return self._mass_status(command, at)
            case Unusable():
                return [reports.business_reject(command)]

    def _new(self, command: NewOrder, at: datetime) -> list[Entry]:
        key = (command.session, command.cl_ord_id)
        if key in self._memory.by_id:
            return self._duplicate(command, at)
        symbol = self.resolve(command.mic, command.symbol, command.isin)
        order = self._make(command, symbol, at)
        listing = self.listings.get(symbol)
        refusal: rules.No | None = rules.No(rules.UNKNOWN_SYMBOL, f"Unknown symbol {command.symbol}")
        if listing is not None:
            refusal = rules.entry_refusal(
                command,
                listing,
                self.books[symbol].phase,
                at=at,
                parks_at_open=listing.mic in self.options.parks_at_open,
            )
        self._admit(order)
        if refusal is not None:
            return [self.reject(order, reason=refusal.reason, text=refusal.text, at=at)]
        entries: list[Entry] = []
        if "new" in self.options.pending:
            entries.append(self._order_entry(order, ExecType.PENDING_NEW, at, {"ord_status": "A"}))
        accepted = reports.execution_report(order, exec_type=ExecType.NEW, exec_id=self.next_exec_id(), at=at)
        events = self.books[symbol].enter(order.terms)  # first, so that the line of the acceptance shows its place
        return [*entries, reports.order_entry(order, accepted), *self.digest(events, at=at)]

    def _make(self, command: NewOrder, symbol: str, at: datetime) -> VenueOrder:
        order_id = f"{self.code}-O{self._next():07d}"
        terms = BookOrder(
            key=order_id,
            is_buy=command.side.is_buy,
            ord_type=command.ord_type,
            time_in_force=command.time_in_force,
            qty=command.order_qty,
            price=command.price,
            stop_px=command.stop_px,
            min_qty=command.min_qty,
            display=command.max_floor,
        )
        return VenueOrder(
            session=command.session,
            order_id=order_id,
            lineage=[command.cl_ord_id],
            symbol=symbol,
            mic=self.listings[symbol].mic if symbol else command.mic,
            side=command.side,
            terms=terms,
            entered_at=reports.stamp(at),
            echo=dict(command.echo),
            expire_date=command.expire_date,
            expire_at=command.expire_at,
        )

    def _duplicate(self, command: NewOrder, at: datetime) -> list[Entry]:
        """The first order lives on and its numbers are reported; a second one is rejected, a resent one merely told."""
        order = self.find(command.session, command.cl_ord_id)
        if order is None:
            unusable = Unusable(
                command.session, "0", "D", command.cl_ord_id, "0", "ClOrdID was used by another request"
            )
            return [reports.business_reject(unusable)]
        if command.poss_resend:
            return [self._status_entry(order, at, {"text": "Already received"})]
        extra = {"ord_rej_reason": rules.DUPLICATE_ORDER, "text": "Duplicate ClOrdID", "cl_ord_id": command.cl_ord_id}
        return [self._order_entry(order, ExecType.REJECTED, at, extra)]

    def _cancel(self, command: CancelOrder, at: datetime) -> list[Entry]:
        order, refused = self._addressed(command, "1", at)
        if refused is not None or order is None:
            return [refused] if refused else []
        pair = {"cl_ord_id": command.cl_ord_id, "orig_cl_ord_id": order.cl_ord_id}
        entries: list[Entry] = []
        if "cancel" in self.options.pending:
            entries.append(self._order_entry(order, ExecType.PENDING_CANCEL, at, {**pair, "ord_status": "6"}))
        self._memory.by_id[(command.session, command.cl_ord_id)] = order.order_id
        self.books[order.symbol].cancel(order.order_id)
        self._end(order, Ended.CANCELED)
        entries.append(self._order_entry(order, ExecType.CANCELED, at, pair))
        return entries

    def _replace(self, command: ReplaceOrder, at: datetime) -> list[Entry]:
        order, refused = self._addressed(command, "2", at)
        if refused is not None or order is None:
            return [refused] if refused else []
        terms, book = order.terms, self.books[order.symbol]
        qty = terms.qty if command.order_qty is None else command.order_qty
        price = terms.price if command.price is None else command.price
        stop_px = terms.stop_px if command.stop_px is None else command.stop_px
        display = terms.display if command.max_floor is None else command.max_floor
        force = terms.time_in_force if command.time_in_force is None else command.time_in_force
        refusal = self._replace_refusal(command, order, qty, price, stop_px, min(display, qty), force)
        if refusal is not None:
            return [self._no(command, "2", refusal.reason, refusal.text, order, at)]
        old = order.cl_ord_id
        entries: list[Entry] = []
        if "replace" in self.options.pending:
            pending = {"cl_ord_id": command.cl_ord_id, "orig_cl_ord_id": old, "ord_status": "E"}
            entries.append(self._order_entry(order, ExecType.PENDING_REPLACE, at, pending))
        order.lineage.append(command.cl_ord_id)
        self._memory.by_id[(command.session, command.cl_ord_id)] = order.order_id
        if command.expire_at is not None or command.expire_date is not None:
            order.expire_at, order.expire_date = command.expire_at, command.expire_date
        events = book.replace(
            order.order_id, qty=qty, price=price, stop_px=stop_px, display=min(display, qty), time_in_force=force
        )
        if not order.is_open:
            self._forget_later(order)
        entries.append(self._order_entry(order, ExecType.REPLACED, at, {"orig_cl_ord_id": old}))
        return entries + self.digest(events, at=at)

    def _replace_refusal(
        self,
        command: ReplaceOrder,
        order: VenueOrder,
        qty: int,
        price: int | None,
        stop_px: int | None,
        display: int,
        force: TimeInForce,
    ) -> rules.No | None:
        """Why a replace is not carried out: CxlRejReason (102) and a sentence."""
        book, listing = self.books[order.symbol], self.listings[order.symbol]
        if book.phase in (Phase.HALTED, Phase.CLOSED):
            return rules.No("2", f"No replaces while {book.phase.value}")
        if command.side not in (None, order.side):
            return rules.No("2", "Side cannot be replaced")
        if command.ord_type not in (None, order.terms.ord_type):
            return rules.No("2", "OrdType cannot be replaced")
        before = order.terms.time_in_force
        if force is not before and not (force in _KEEPABLE and before in _KEEPABLE):
            return rules.No("2", "This TimeInForce cannot be replaced")
        asked, had = command.expire_at or command.expire_date, order.expire_at or order.expire_date
        if force is TimeInForce.GTD and not (asked or had):
            return rules.No("2", "GTD needs ExpireDate or ExpireTime")
        wrong = rules.quantity_refusal(qty, 0, display, listing) or rules.price_refusal(
            order.terms.ord_type, price, stop_px, listing
        )
        return rules.No("99", wrong.text) if wrong else None

    def _addressed(
        self, command: CancelOrder | ReplaceOrder, response_to: str, at: datetime
    ) -> tuple[VenueOrder | None, Entry | None]:
        """The open order a request is about, or the reject that answers it."""
        order = self.find(command.session, command.orig_cl_ord_id)
        if order is None and not command.orig_cl_ord_id:
            order = self._memory.orders.get(command.order_id)
        if (command.session, command.cl_ord_id) in self._memory.by_id:
            return None, self._no(command, response_to, "6", "Duplicate ClOrdID", order, at)
        if order is None or order.session != command.session:
            return None, self._no(command, response_to, "1", "Unknown order", None, at)
        if not order.is_open:
            return None, self._no(command, response_to, "0", "Too late: the order is no longer open", order, at)
        return order, None

    def _no(
        self,
        command: CancelOrder | ReplaceOrder,
        response_to: str,
        reason: str,
        text: str,
        order: VenueOrder | None,
        at: datetime,
    ) -> Entry:
        self._memory.by_id.setdefault((command.session, command.cl_ord_id), "")
        return reports.cancel_reject(
            session=command.session,
            cl_ord_id=command.cl_ord_id,
            orig_cl_ord_id=command.orig_cl_ord_id,
            response_to=response_to,
            reason=reason,
            text=text,
            order=order,
            at=at,
        )

    def _status(self, command: StatusRequest, at: datetime) -> Entry:
        order = self.find(command.session, command.cl_ord_id) or self._memory.orders.get(command.order_id)
        extra: Report = {"ord_status_req_id": command.req_id} if command.req_id else {}
        if order is None or order.session != command.session:
            return reports.unknown_order(
                session=command.session, cl_ord_id=command.cl_ord_id, at=at, extra={**command.echo, **extra}
            )
        return self._status_entry(order, at, extra)

    def _mass_status(self, command: MassStatusRequest, at: datetime) -> list[Entry]:
        found = [
            order
            for order in self._open_orders("")
            if order.session == command.session
            and (not command.symbol or command.symbol in (order.symbol, self.listings[order.symbol].venue_symbol))
        ]
        extra: Report = {"mass_status_req_id": command.req_id, "tot_num_reports": str(len(found))}
        if not found:
            none: Report = {**extra, "last_rpt_requested": "Y", "text": "No open orders"}
            return [reports.unknown_order(session=command.session, cl_ord_id="", at=at, extra=none)]
        last = found[-1]
        return [
            self._status_entry(one, at, {**extra, "last_rpt_requested": "Y" if one is last else "N"}) for one in found
        ]
