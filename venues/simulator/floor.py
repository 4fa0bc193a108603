"""The trading floor: books, the orders of members in them, what follows from a match, a phase or a day's end. Pure.

Participants of the house (liquidity) trade in the same books under keys of their own and get no reports.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from kernel.fix import ExecType, TimeInForce
from venues.simulator import reports
from venues.simulator.book import Book
from venues.simulator.listing import ListingSpec
from venues.simulator.model import BookEvent, Gone, Phase, Removed, Traded, Triggered
from venues.simulator.reports import Entry, Report
from venues.simulator.units import parse_units, to_text
from venues.simulator.venue_order import Ended, VenueOrder, from_snapshot

KEPT_ENDED = 50_000

_GONE_TEXT = {
    Gone.IMMEDIATE_REMAINDER: "Immediate or cancel: remainder canceled",
    Gone.FILL_OR_KILL: "Fill or kill: not enough quantity",
    Gone.NO_LIQUIDITY: "No liquidity: remainder of market order canceled",
    Gone.MINIMUM_QUANTITY: "Minimum quantity not available",
    Gone.AUCTION_OVER: "The auction is over",
}
_GOOD_TILL = (TimeInForce.GTC, TimeInForce.GTD)


@dataclass(frozen=True, slots=True)
class Options:
    """How a venue behaves where FIX leaves a choice.

    ``pending`` names the requests (new, cancel, replace) answered with a Pending report first. ``done_for_day`` reports
    good-till orders as done at the close and renews them at the open. ``parks_at_open`` lists markets where at-open
    orders entered during trading wait for the next opening.
    """

    pending: frozenset[str] = frozenset()
    done_for_day: bool = True
    parks_at_open: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Memory:
    """Orders and ClOrdIDs the venue remembers; the longest-ended orders are forgotten first."""

    orders: dict[str, VenueOrder] = field(default_factory=dict)
    by_id: dict[tuple[str, str], str] = field(default_factory=dict)
    open: dict[str, VenueOrder] = field(default_factory=dict)
    ended: deque[str] = field(default_factory=deque)


class TradingFloor:
    """Books and orders of one venue. ``code`` prefixes its OrderIDs and ExecIDs."""

    def __init__(self, *, code: str, listings: Sequence[ListingSpec], options: Options | None = None) -> None:
        self.code = code
        self.options = options or Options()
        self.listings = {one.symbol: one for one in listings}
        self.books = {one.symbol: Book(one.symbol, reference=one.reference) for one in listings}
        self.counter = 0
        self._memory = _Memory()
        self._names: dict[tuple[str, str], str] = {}
        for one in listings:
            for name in (one.isin, one.venue_symbol, one.symbol):
                self._names[(one.mic, name)] = self._names[("", name)] = one.symbol

    @property
    def orders(self) -> Mapping[str, VenueOrder]:
        """Orders by OrderID, those that ended lately included."""
        return self._memory.orders

    def find(self, session: str, cl_ord_id: str) -> VenueOrder | None:
        """The order a member's ClOrdID belongs to."""
        order_id = self._memory.by_id.get((session, cl_ord_id))
        return self._memory.orders.get(order_id) if order_id else None

    def resolve(self, mic: str, symbol: str, isin: str) -> str:
        """Our symbol for the names a message gives, or an empty text."""
        return self._names.get((mic, symbol)) or self._names.get((mic, isin)) or ""

    # -- consequences --------------------------------------------------------------------------------------------------

    def digest(self, events: Iterable[BookEvent], *, at: datetime) -> list[Entry]:
        """Book what the matching engine did and say it to the members concerned, buyer before seller."""
        entries: list[Entry] = []
        for event in events:
            if isinstance(event, Traded):
                for key in (event.buy, event.sell):
                    order = self._memory.orders.get(key)
                    if order is not None:
                        entries.append(self.execute(order, event.qty, event.px, at=at))
            elif isinstance(event, Triggered):
                order = self._memory.orders.get(event.key)
                if order is not None:
                    entries.append(reports.triggered(order))
            elif isinstance(event, Removed):
                order = self._memory.orders.get(event.key)
                if order is not None:
                    ended = Ended.EXPIRED if event.why is Gone.AUCTION_OVER else Ended.CANCELED
                    entries.append(self.finish(order, ended, at, event.why))
        return entries

    def execute(self, order: VenueOrder, qty: int, px: int, *, at: datetime) -> Entry:
        """Count an execution of an order and report it."""
        exec_id = self.next_exec_id()
        order.add_trade(exec_id, qty, px)
        if not order.is_open:
            self._forget_later(order)
        extra = {"last_qty": to_text(qty), "last_px": to_text(px), "last_mkt": order.mic}
        report = reports.execution_report(order, exec_type=ExecType.TRADE, exec_id=exec_id, at=at, extra=extra)
        return reports.trade_entry(order, report, kind="execution", exec_id=exec_id, ref="", qty=qty, px=px)

    def finish(self, order: VenueOrder, ended: Ended, at: datetime, why: Gone | str) -> Entry:
        """End an order nobody asked to end and report it."""
        self._end(order, ended)
        text = _GONE_TEXT[why] if isinstance(why, Gone) else why
        kind = ExecType.EXPIRED if ended is Ended.EXPIRED else ExecType.CANCELED
        return self._order_entry(order, kind, at, {"text": text})

    def reject(self, order: VenueOrder, *, reason: str, text: str, at: datetime) -> Entry:
        """Reject an order (``reason`` is OrdRejReason, 103) and report it."""
        self._end(order, Ended.REJECTED)
        return self._order_entry(order, ExecType.REJECTED, at, {"ord_rej_reason": reason, "text": text})

    def rebook(self, order: VenueOrder, back: int) -> list[BookEvent]:
        """After an execution changed: ``back`` units are to be done again (negative: less is left to do).

        An order that was filled comes back into its book, behind all others; one that ended stays out.
        """
        terms, book = order.terms, self.books[order.symbol]
        terms.cum -= back
        if order.ended:
            return []
        if order.order_id in book.orders:
            if not order.is_open:
                self._end_filled(order)
            elif not terms.display:
                terms.shown = terms.leaves
            return []
        if not order.is_open:
            return []
        self._admit(order)
        if book.phase in (Phase.HALTED, Phase.CLOSED):
            terms.show()
            book.restore(terms)
            return []
        return book.enter(terms)

    # -- phases and days -----------------------------------------------------------------------------------------------

    def set_phase(self, symbols: Iterable[str], phase: Phase, *, at: datetime) -> list[Entry]:
        """Move listings to a phase, auctions included; what members are told."""
        entries: list[Entry] = []
        for symbol in symbols:
            book = self.books[symbol]
            if book.phase is not phase:
                entries.extend(self.digest(book.move_to(phase), at=at))
        return entries

    def end_of_day(self, mic: str, trade_date: date, *, at: datetime) -> list[Entry]:
        """After the close: day orders and those good till this date expire, the rest is done for the day."""
        entries: list[Entry] = []
        for order in self._open_orders(mic):
            force = order.terms.time_in_force
            parked = force is TimeInForce.AT_OPEN and mic in self.options.parks_at_open
            last_day = order.expire_at is None and order.expire_date is not None and order.expire_date <= trade_date
            if force not in _GOOD_TILL and not parked:
                entries.append(self.finish(order, Ended.EXPIRED, at, "End of day"))
            elif force is TimeInForce.GTD and last_day:
                entries.append(self.finish(order, Ended.EXPIRED, at, "Good till date reached"))
            elif force in _GOOD_TILL and self.options.done_for_day and not order.done_for_day:
                order.done_for_day = True
                entries.append(self._order_entry(order, ExecType.DONE_FOR_DAY, at))
        return entries

    def start_of_day(self, mic: str, *, at: datetime) -> list[Entry]:
        """Before the open: orders done for the day before are renewed (ExecRestatementReason 1)."""
        entries: list[Entry] = []
        for order in self._open_orders(mic):
            if order.done_for_day:
                order.done_for_day = False
                entries.append(self._order_entry(order, ExecType.RESTATED, at, {"exec_restatement_reason": "1"}))
        return entries

    def expire_due(self, *, at: datetime) -> list[Entry]:
        """Orders whose ExpireTime has come."""
        due = [one for one in self._open_orders("") if one.expire_at is not None and one.expire_at <= at]
        return [self.finish(one, Ended.EXPIRED, at, "ExpireTime reached") for one in due]

    # -- after a restart -----------------------------------------------------------------------------------------------

    def restore(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Rebuild orders, books and counters from the lines of the truth, oldest first, without saying anything."""
        for line in lines:
            self.counter = max(self.counter, line["counter"])
            if line["order"] is not None:
                self._remember(line["order"], line["execution"], line["trades"])
            name = line["report"].get("cl_ord_id")
            if name and line["kind"] == "request_rejected":
                self._memory.by_id.setdefault((line["session"], name), "")
            elif name and line["order"] is not None:
                self._memory.by_id[(line["session"], name)] = line["order"]["order_id"]
        waiting = [one for one in self._open_orders("") if one.symbol in self.books]
        for order in sorted(waiting, key=lambda one: one.terms.sequence):
            self.books[order.symbol].restore(order.terms)
        for order in list(self._memory.orders.values()):
            if not order.is_open:
                self._forget_later(order)

    def settle(self, *, at: datetime) -> list[Entry]:
        """After restoring: trade what crossed while the venue was away."""
        return [entry for book in self.books.values() for entry in self.digest(book.settle(), at=at)]

    def _remember(
        self, data: Mapping[str, Any], execution: Mapping[str, str] | None, trades: Mapping[str, Any]
    ) -> None:
        order = from_snapshot(data)
        before = self._memory.orders.get(order.order_id)
        if before is not None:
            order.trades, order.cum, order.value = before.trades, before.cum, before.value
        for exec_id, (qty, px) in trades.items():
            order.add_trade(exec_id, parse_units(qty), parse_units(px))
        if execution is not None:
            qty, px = parse_units(execution["last_qty"]), parse_units(execution["last_px"])
            if execution["exec_ref_id"]:
                busted = execution["kind"] == "bust"
                order.amend_trade(execution["exec_ref_id"], execution["exec_id"], 0 if busted else qty, px)
            else:
                order.add_trade(execution["exec_id"], qty, px)
        self._admit(order)

    # -- housekeeping --------------------------------------------------------------------------------------------------

    def next_exec_id(self) -> str:
        """An ExecID never used before, not even before a restart."""
        return f"{self.code}-E{self._next():08d}"

    def _next(self) -> int:
        self.counter += 1
        return self.counter

    def _order_entry(
        self, order: VenueOrder, exec_type: ExecType, at: datetime, extra: Mapping[str, str] | None = None
    ) -> Entry:
        exec_id = self.next_exec_id()
        report = reports.execution_report(order, exec_type=exec_type, exec_id=exec_id, at=at, extra=extra)
        return reports.order_entry(order, report)

    def _status_entry(self, order: VenueOrder, at: datetime, extra: Report) -> Entry:
        report = reports.execution_report(order, exec_type=ExecType.ORDER_STATUS, exec_id="0", at=at, extra=extra)
        return Entry(kind="status", session=order.session, report=report)

    def _end_filled(self, order: VenueOrder) -> None:
        self.books[order.symbol].cancel(order.order_id)
        self._forget_later(order)

    def _end(self, order: VenueOrder, ended: Ended) -> None:
        order.ended = ended
        book = self.books.get(order.symbol)
        if book is not None:
            book.cancel(order.order_id)
        self._forget_later(order)

    def _admit(self, order: VenueOrder) -> None:
        self._memory.orders[order.order_id] = order
        self._memory.open.pop(order.order_id, None)
        if order.is_open:
            self._memory.open[order.order_id] = order
        for name in order.lineage:
            self._memory.by_id[(order.session, name)] = order.order_id

    def _forget_later(self, order: VenueOrder) -> None:
        self._memory.open.pop(order.order_id, None)
        self._memory.ended.append(order.order_id)
        while len(self._memory.ended) > KEPT_ENDED:
            old = self._memory.orders.get(self._memory.ended.popleft())
            if old is not None and not old.is_open:
                del self._memory.orders[old.order_id]
                for name in old.lineage:
                    self._memory.by_id.pop((old.session, name), None)

    def _open_orders(self, mic: str) -> list[VenueOrder]:
        return [one for one in self._memory.open.values() if mic in ("", one.mic)]
