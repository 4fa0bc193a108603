"""One listing's order book: price-time priority, auctions, halts. Pure: the same calls give the same events.

Rules of this venue
* A trade happens at the resting order's price. Resting orders trade best price first, then oldest; icebergs show a
  part at a time and each refresh goes to the back of its level. Orders of one owner may match each other.
* In continuous trading a market order's remainder, an immediate-or-cancel's remainder and an unfillable
  fill-or-kill leave at once. A minimum quantity must be available at entry, else the order leaves; afterwards it is
  ordinary.
* In a call nothing matches; at its end everything trades at one price (``auction.uncross``), hidden parts included.
  Market and at-open or at-close orders that are left over leave the book.
* A stop is invisible until the last trade reaches it, in continuous trading only; the oldest goes first.
* A halt keeps orders and takes cancels; entering and replacing are for the exchange to refuse.
"""

from __future__ import annotations

from kernel.fix import TimeInForce
from venues.simulator.auction import Uncrossing, uncross
from venues.simulator.model import BookEvent, BookOrder, Gone, Phase, Removed, Traded, Triggered
from venues.simulator.side import BookSide

_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)


class Book:
    """The book of one listing. ``last`` is the last traded price, before any trade the reference, in units of 1e-8."""

    def __init__(self, symbol: str, *, reference: int, phase: Phase = Phase.CONTINUOUS) -> None:
        self.symbol = symbol
        self.last = reference
        self.bids = BookSide(is_buy=True)
        self.asks = BookSide(is_buy=False)
        self.orders: dict[str, BookOrder] = {}
        self.stops: dict[str, BookOrder] = {}
        self.parked: dict[str, BookOrder] = {}
        self._sequence = 0
        self.phase = phase
        self._call = phase if phase.is_call else None  # the call whose auction is still to come, a halt in it included

    # -- doors ---------------------------------------------------------------------------------------------------------

    def enter(self, order: BookOrder) -> list[BookEvent]:
        """Take a new order, or one that comes back with fresh priority; what happened, in order."""
        if order.key in self.orders:
            raise ValueError(f"{order.key} is already in the book")
        if self.phase in (Phase.HALTED, Phase.CLOSED):
            raise ValueError(f"{self.symbol} is {self.phase.value}")
        self._stamp(order)
        self.orders[order.key] = order
        events: list[BookEvent] = []
        self._place(order, events)
        self._fire_stops(events)
        return events

    def cancel(self, key: str) -> BookOrder | None:
        """Take an order out at its owner's wish; None when it is not here."""
        order = self.orders.get(key)
        if order is not None:
            self._take_out(order)
        return order

    def replace(
        self,
        key: str,
        *,
        qty: int,
        price: int | None,
        stop_px: int | None,
        display: int,
        time_in_force: TimeInForce,
    ) -> list[BookEvent]:
        """Change a resting order; ``qty`` is total, executed included. At or below what is executed the order is done.

        Priority is kept only when the quantity goes down (or stays) at the same price. Raises KeyError when unknown.
        """
        order = self.orders[key]
        order.time_in_force = time_in_force
        if qty <= order.cum:
            self._take_out(order)
            order.qty = order.cum
            return []
        same_place = price == order.price and stop_px == order.stop_px and display == order.display
        if same_place and qty <= order.qty:
            order.qty = qty
            order.shown = min(order.shown, order.leaves)
            return []
        self._take_out(order)
        order.qty, order.price, order.stop_px, order.display = qty, price, stop_px, display
        order.min_qty = 0
        return self.enter(order)

    def restore(self, order: BookOrder) -> None:
        """Put an order back after a restart, in the place its ``sequence`` and ``shown`` say, without matching.

        Call in ascending ``sequence``.
        """
        self._sequence = max(self._sequence, order.sequence)
        self.orders[order.key] = order
        if order.is_stop:
            self.stops[order.key] = order
        elif self._waits_for_auction(order):
            self.parked[order.key] = order
        else:
            self._side(order).add(order)

    def move_to(self, phase: Phase) -> list[BookEvent]:
        """Change phase. Leaving a call for trading or for the close uncrosses first; what happened, in order."""
        events: list[BookEvent] = []
        if self._call is not None and phase in (Phase.CONTINUOUS, Phase.CLOSED):
            self._uncross(events)
            self._end_of_call(self._call, events)
            self._call = None
        self.phase = phase
        if phase.is_call:
            self._call = phase
            for order in list(self.parked.values()):
                if not self._waits_for_auction(order):
                    del self.parked[order.key]
                    order.show()
                    self._side(order).add(order)
        self._fire_stops(events)
        return events

    def begin_in(self, phase: Phase) -> None:
        """Set the phase of a book that is still empty; nothing happens because of it."""
        self.phase = phase
        self._call = phase if phase.is_call else None

    def settle(self) -> list[BookEvent]:
        """After restoring: trade what was entered in a call whose end was missed."""
        events: list[BookEvent] = []
        bid, ask = self.bids.best, self.asks.best
        if self.phase is Phase.CONTINUOUS and bid is not None and ask is not None and bid >= ask:
            self._uncross(events)
        self._fire_stops(events)
        return events

    def indicative(self) -> Uncrossing | None:
        """What the auction would do if it took place now."""
        return uncross(
            bids=[(px, sum(o.leaves for o in level.values())) for px, level in self.bids.levels()],
            asks=[(px, sum(o.leaves for o in level.values())) for px, level in self.asks.levels()],
            market_buy=sum(o.leaves for o in self.bids.market.values()),
            market_sell=sum(o.leaves for o in self.asks.market.values()),
            reference=self.last,
        )

    # -- continuous trading --------------------------------------------------------------------------------------------

    def _place(self, order: BookOrder, events: list[BookEvent]) -> None:
        """Match or rest an order that is new, changed or triggered."""
        if order.is_stop and not (self.phase is Phase.CONTINUOUS and self._touched(order)):
            self.stops[order.key] = order
            return
        if order.is_stop:
            order.triggered = True
            events.append(Triggered(order.key))
        if self._waits_for_auction(order):
            self.parked[order.key] = order
            return
        if self.phase is Phase.CONTINUOUS:
            opposite = self.asks if order.is_buy else self.bids
            refusal = self._cannot_start(order, opposite)
            if refusal is not None:
                self._drop(order, refusal, events)
                return
            self._match(order, opposite, events)
            if not order.leaves:
                del self.orders[order.key]
                return
            if order.price is None or order.time_in_force in _IMMEDIATE:
                immediate = order.time_in_force in _IMMEDIATE
                self._drop(order, Gone.IMMEDIATE_REMAINDER if immediate else Gone.NO_LIQUIDITY, events)
                return
        order.show()
        self._side(order).add(order)

    def _cannot_start(self, order: BookOrder, opposite: BookSide) -> Gone | None:
        """Why an order may not trade at all now, or None."""
        if order.time_in_force is TimeInForce.FOK and opposite.executable(order.price, order.leaves) < order.leaves:
            return Gone.FILL_OR_KILL
        wanted = min(order.min_qty, order.leaves)
        if wanted and opposite.executable(order.price, wanted) < wanted:
            return Gone.MINIMUM_QUANTITY
        return None

    def _match(self, taker: BookOrder, opposite: BookSide, events: list[BookEvent]) -> None:
        while taker.leaves:
            maker = opposite.first()
            if maker is None or maker.price is None or not opposite.accepts(maker.price, taker.price):
                return
            qty = min(taker.leaves, maker.shown)
            taker.cum += qty
            maker.cum += qty
            maker.shown -= qty
            self.last = maker.price
            buyer, seller = (taker, maker) if taker.is_buy else (maker, taker)
            events.append(Traded(buy=buyer.key, sell=seller.key, px=maker.price, qty=qty, taker=taker.key))
            if not maker.leaves:
                self._take_out(maker)
            elif not maker.shown:
                maker.show()
                self._stamp(maker)
                opposite.to_back(maker)

    def _fire_stops(self, events: list[BookEvent]) -> None:
        """Activate stops the last price has reached, oldest first, until none is left that it reaches."""
        while self.phase is Phase.CONTINUOUS and self.stops:
            touched = [order for order in self.stops.values() if self._touched(order)]
            if not touched:
                return
            order = min(touched, key=lambda one: one.sequence)
            del self.stops[order.key]
            self._place(order, events)

    def _touched(self, order: BookOrder) -> bool:
        if order.stop_px is None:
            return False
        return self.last >= order.stop_px if order.is_buy else self.last <= order.stop_px

    # -- auctions ------------------------------------------------------------------------------------------------------

    def _uncross(self, events: list[BookEvent]) -> None:
        result = self.indicative()
        if result is None:
            return
        self.last = result.px
        buyers = _eligible(self.bids, result)
        sellers = _eligible(self.asks, result)
        left, b, s = result.volume, 0, 0
        while left:
            buyer, seller = buyers[b], sellers[s]
            qty = min(left, buyer.leaves, seller.leaves)
            buyer.cum += qty
            seller.cum += qty
            left -= qty
            events.append(Traded(buy=buyer.key, sell=seller.key, px=result.px, qty=qty, taker=""))
            b += not buyer.leaves
            s += not seller.leaves
        for order in (*buyers[: b + 1], *sellers[: s + 1]):
            if order.leaves:
                order.show()
            else:
                self._take_out(order)

    def _end_of_call(self, call: Phase, events: list[BookEvent]) -> None:
        """Let go what was only here for the auction that just ended."""
        meant = TimeInForce.AT_OPEN if call is Phase.PRE_OPEN else TimeInForce.AT_CLOSE
        for side in (self.bids, self.asks):
            for order in side.in_priority():
                if order.time_in_force is meant:
                    self._drop(order, Gone.AUCTION_OVER, events)
                elif order.price is None:
                    self._drop(order, Gone.NO_LIQUIDITY, events)

    def _waits_for_auction(self, order: BookOrder) -> bool:
        """At-open and at-close orders stay out of the book until their own call."""
        if order.time_in_force is TimeInForce.AT_OPEN:
            return self.phase is not Phase.PRE_OPEN
        return order.time_in_force is TimeInForce.AT_CLOSE and self.phase is not Phase.CLOSING_CALL

    # -- housekeeping --------------------------------------------------------------------------------------------------

    def _side(self, order: BookOrder) -> BookSide:
        return self.bids if order.is_buy else self.asks

    def _stamp(self, order: BookOrder) -> None:
        self._sequence += 1
        order.sequence = self._sequence

    def _take_out(self, order: BookOrder) -> None:
        self.orders.pop(order.key, None)
        if self.stops.pop(order.key, None) is None and self.parked.pop(order.key, None) is None:
            self._side(order).discard(order)

    def _drop(self, order: BookOrder, why: Gone, events: list[BookEvent]) -> None:
        self._take_out(order)
        events.append(Removed(key=order.key, leaves=order.leaves, why=why))


def _eligible(side: BookSide, result: Uncrossing) -> list[BookOrder]:
    """Orders of a side that trade at the auction price, in priority."""
    return [order for order in side.in_priority() if order.price is None or side.accepts(order.price, result.px)]
