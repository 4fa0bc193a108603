"""The house of the pure run: the real core and adapters inside a model of our own pipeline. No Django, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import orjson

from kernel.numbers import ZERO
from orders.domain import derive as deriving
from orders.domain import facts as keeping
from venues.simulation import doors, gateway, inbox
from venues.simulation.books import (
    CURRENCY,
    OPENING_CASH,
    OPENING_STOCK,
    InboxRow,
    decimal,
    empty_books,
    moment,
)
from venues.simulation.house import MoneyView, OrderView, RequestView
from venues.simulation.script import World
from venues.simulation.wire import Arrival


class FactsChanged(Exception):
    """What was written of an order is not what is read again."""


class PureHouse:
    """See :class:`venues.simulation.house.House`."""

    def __init__(self, world: World) -> None:
        self.books = empty_books(world)

    def capture(self, index: int, tick: int) -> str | None:
        return doors.capture(self.books, index) if index not in self.books.order_ids else None

    def replace(self, index: int, qty: int, px: int | None, tick: int) -> str | None:
        return doors.replace(self.books, index, decimal(qty, 2), decimal(px, 8) if px is not None else None)

    def cancel(self, index: int, tick: int) -> str | None:
        return doors.cancel(self.books, index)

    def hand_over(self, tick: int, crash: str) -> list[str]:
        return gateway.hand_over(self.books, tick, crash)

    def ask(self, tick: int) -> list[str]:
        return gateway.ask(self.books, tick)

    def begin_epoch(self, epoch: int) -> None:
        self.books.epoch, self.books.next_out = epoch, 1

    def store(self, arrivals: Sequence[Arrival], day: int, tick: int) -> None:
        books = self.books
        for arrival in arrivals:
            books.first_rows.setdefault((arrival.epoch, arrival.seq), len(books.inbox))
            books.inbox.append(InboxRow(arrival.epoch, arrival.seq, arrival.raw, moment(tick)))

    def consume(self, limit: int, tick: int, crash: str) -> None:
        inbox.consume(self.books, limit, tick, crash)

    def worked(self) -> int:
        return self.books.cursor

    def restart(self, tick: int) -> None:
        """What is read again from storage must be what was written."""
        for order_id, order in self.books.orders.items():
            stored = orjson.loads(orjson.dumps(keeping.facts_to_json(order.facts)))
            read = keeping.facts_from_json(stored)
            if read != order.facts:
                raise FactsChanged(order.ref)
            self.books.orders[order_id] = order._replace(facts=read)

    def look(self, index: int) -> OrderView | None:
        books = self.books
        order_id = books.order_ids.get(index)
        if order_id is None:
            return None
        row, hold = books.orders[order_id], books.holds[order_id]
        state = row.facts.state
        cash, stock = books.moved[order_id]
        return OrderView(
            ord_status=row.ord_status,
            order_qty=row.order_qty,
            cum_qty=row.cum_qty,
            leaves_qty=row.leaves_qty,
            avg_px=deriving.derive(row.facts, business_date=row.trade_date).avg_px,
            price=row.price,
            cl_ord_id=row.cl_ord_id or "",
            is_open=row.is_open,
            overfilled=deriving.is_overfilled(state),
            requests=tuple(
                RequestView(place, r.kind, r.state, r.cl_ord_id)
                for place, r in enumerate(books.requests[order_id], start=1)
            ),
            executions=tuple((qty, px if qty else ZERO) for qty, px in books.stated[order_id].values()),
            booked=tuple((qty, px if qty else ZERO) for qty, px in books.effective[order_id].values()),
            hold_cash=hold.cash,
            hold_stock=hold.stock,
            cash=cash,
            stock=stock,
            days=tuple(
                books.trade_dates[books.execution_ids[order_id, identity]] for identity in books.effective[order_id]
            ),
            fees=sum(books.charged.get(order_id, {}).values(), ZERO),
            anomalies=frozenset(books.matters[order_id].values()),
        )

    def money(self) -> MoneyView:
        account = self.books.account
        cash, holdings = account.cash[CURRENCY], account.holdings.values()
        opening: Decimal = OPENING_STOCK * len(holdings)
        return MoneyView(
            cash=cash.settled + cash.pending - OPENING_CASH,
            cash_reserved=cash.reserved,
            stock=sum((row.net for row in holdings), ZERO) - opening,
            stock_reserved=sum((row.reserved for row in holdings), ZERO),
        )

    def open_matters(self) -> frozenset[str]:
        return frozenset(self.books.other_matters.values())
