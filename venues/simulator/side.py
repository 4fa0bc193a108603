"""One side of a book: price levels in order, orders at a level by time, market orders that wait for an auction."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from venues.simulator.model import BookOrder


class BookSide:
    """Resting orders of one side. ``best`` is the highest bid or the lowest ask."""

    __slots__ = ("_levels", "_prices", "is_buy", "market")

    def __init__(self, *, is_buy: bool) -> None:
        self.is_buy = is_buy
        self._prices: list[int] = []
        self._levels: dict[int, dict[str, BookOrder]] = {}
        self.market: dict[str, BookOrder] = {}

    def add(self, order: BookOrder) -> None:
        """Rest an order behind all others at its price; without a price it waits for an auction."""
        if order.price is None:
            self.market[order.key] = order
            return
        level = self._levels.get(order.price)
        if level is None:
            level = self._levels[order.price] = {}
            insort(self._prices, order.price)
        level[order.key] = order

    def discard(self, order: BookOrder) -> None:
        """Take an order out; nothing happens when it is not here."""
        if order.price is None:
            self.market.pop(order.key, None)
            return
        level = self._levels.get(order.price)
        if level is None:
            return
        level.pop(order.key, None)
        if not level:
            del self._levels[order.price]
            del self._prices[bisect_left(self._prices, order.price)]

    def to_back(self, order: BookOrder) -> None:
        """Put an order behind all others at its price."""
        if order.price is not None:
            level = self._levels[order.price]
            level[order.key] = level.pop(order.key)

    @property
    def best(self) -> int | None:
        """The best limit price, or None when no limit order rests."""
        if not self._prices:
            return None
        return self._prices[-1] if self.is_buy else self._prices[0]

    def first(self) -> BookOrder | None:
        """The limit order that trades next."""
        best = self.best
        return None if best is None else next(iter(self._levels[best].values()))

    def accepts(self, price: int, limit: int | None) -> bool:
        """Whether an incoming order with this limit would trade at a resting ``price`` of this side."""
        if limit is None:
            return True
        return price >= limit if self.is_buy else price <= limit

    def levels(self) -> Iterator[tuple[int, dict[str, BookOrder]]]:
        """Prices with their orders, best first."""
        prices = reversed(self._prices) if self.is_buy else iter(self._prices)
        for price in prices:
            yield price, self._levels[price]

    def in_priority(self) -> list[BookOrder]:
        """All orders in the order an auction fills them: market orders, then best price, then time."""
        return [*self.market.values(), *(order for _, level in self.levels() for order in level.values())]

    def executable(self, limit: int | None, enough: int) -> int:
        """Quantity an incoming order could get, hidden parts included; stops counting at ``enough``."""
        total = 0
        for price, level in self.levels():
            if not self.accepts(price, limit):
                break
            for order in level.values():
                total += order.leaves
                if total >= enough:
                    return total
        return total
