"""Participants of the house: a quoting trader keeps both sides of each book alive, a noise trader takes from them.

Pure and seeded: the same seed, listings and calls give the same market. Each listing has its own random stream,
keyed by its symbol, so adding one does not change the others. Work is bounded: a step touches a handful of
listings, a listing has at most two ladders, and members' orders at the touch are filled in parts over some seconds
rather than at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from kernel.fix import OrdType, TimeInForce
from venues.simulator.book import Book
from venues.simulator.floor import TradingFloor
from venues.simulator.listing import ListingSpec
from venues.simulator.model import BookOrder, Phase
from venues.simulator.reports import Entry
from venues.simulator.units import SCALE

LEVELS = 4
QUOTE_EVERY_S = 3.0
NOISE_EVERY_S = 6.0
INTEREST_EVERY_S = 1.2
_SMALLEST_LEVEL = 100 * SCALE


@dataclass(slots=True)
class _Desk:
    """What the house does in one listing."""

    spec: ListingSpec
    random: Random
    centre: int
    quotes: list[str] = field(default_factory=list)
    next_quote: float = 0.0
    next_noise: float = 0.0
    next_interest: float = 0.0


class Liquidity:
    """House trading on one floor. ``step`` is called often and does what is due."""

    def __init__(self, floor: TradingFloor, *, seed: int) -> None:
        self._floor = floor
        self._number = 0
        self._desks: list[_Desk] = []
        for spec in sorted(floor.listings.values(), key=lambda one: one.symbol):
            random = Random(f"{seed}:{spec.symbol}")  # noqa: S311 - a market to play with, not a secret
            desk = _Desk(spec=spec, random=random, centre=spec.reference)
            desk.next_quote = random.uniform(0, 1)
            desk.next_noise = random.uniform(1, NOISE_EVERY_S)
            self._desks.append(desk)

    def step(self, clock: float, *, at: datetime, held: Sequence[str] = ()) -> list[Entry]:
        """Do what is due at ``clock`` (seconds, monotonic from 0); what members are told because of it.

        ``held`` lists symbols the house stays out of.
        """
        entries: list[Entry] = []
        for desk in self._desks:
            if desk.spec.symbol in held:
                continue
            book = self._floor.books[desk.spec.symbol]
            if clock >= desk.next_quote:
                desk.next_quote = clock + QUOTE_EVERY_S * desk.random.uniform(0.6, 1.4)
                entries.extend(self._quote(desk, book, at))
            if book.phase is not Phase.CONTINUOUS:
                continue
            if clock >= desk.next_noise:
                desk.next_noise = clock + NOISE_EVERY_S * desk.random.uniform(0.5, 1.5)
                entries.extend(self._noise(desk, book, at))
            if clock >= desk.next_interest:
                desk.next_interest = clock + INTEREST_EVERY_S * desk.random.uniform(0.5, 1.5)
                entries.extend(self._interest(desk, book, at))
        return entries

    def withdraw(self, symbol: str) -> None:
        """Take the house's quotes out of a listing."""
        for desk in self._desks:
            if desk.spec.symbol == symbol:
                self._pull(desk, self._floor.books[symbol])

    def _quote(self, desk: _Desk, book: Book, at: datetime) -> list[Entry]:
        """Walk the centre a little and put new ladders around it."""
        self._pull(desk, book)
        if book.phase in (Phase.HALTED, Phase.CLOSED):
            return []
        spec = desk.spec
        tick = spec.tick_at(desk.centre)
        steps = desk.random.choice((-2, -1, -1, 0, 0, 1, 1, 2)) - _homesick(desk.centre, spec.anchor)
        desk.centre = max(spec.rounded(desk.centre + steps * tick), tick * (LEVELS + 2))
        half = max(1, spec.anchor // 4000 // tick)
        entries: list[Entry] = []
        for level in range(LEVELS):
            for is_buy in (True, False):
                away = (half + level * half) * tick
                price = spec.rounded(desk.centre - away if is_buy else desk.centre + away)
                entries.extend(self._enter(desk, book, is_buy, self._size(desk, 1 + level), price, at))
        return entries

    def _noise(self, desk: _Desk, book: Book, at: datetime) -> list[Entry]:
        """A small order at the touch from nobody in particular."""
        is_buy = desk.random.random() < 0.5
        best = book.asks.best if is_buy else book.bids.best
        if best is None:
            return []
        qty = max(self._size(desk, 1) // 5 // desk.spec.lot, 1) * desk.spec.lot
        return self._enter(desk, book, is_buy, qty, best, at, immediate=True)

    def _interest(self, desk: _Desk, book: Book, at: datetime) -> list[Entry]:
        """Somebody notices a member's order at the touch and takes part of it."""
        for side in (book.bids, book.asks):
            first = side.first()
            if first is None or first.price is None or first.key not in self._floor.orders:
                continue
            near = abs(first.price - desk.centre) * 50 <= desk.centre
            if not near or desk.random.random() < 0.25:
                continue
            part = first.leaves * desk.random.randint(15, 60) // 100
            qty = max(part // desk.spec.lot, 1) * desk.spec.lot
            return self._enter(desk, book, not side.is_buy, qty, first.price, at, immediate=True)
        return []

    def _size(self, desk: _Desk, factor: int) -> int:
        base = max(desk.spec.volume // 20_000, _SMALLEST_LEVEL, desk.spec.lot)
        wanted = base * factor * desk.random.randint(50, 150) // 100
        return max(wanted // desk.spec.lot, 1) * desk.spec.lot

    def _enter(
        self, desk: _Desk, book: Book, is_buy: bool, qty: int, price: int, at: datetime, *, immediate: bool = False
    ) -> list[Entry]:
        self._number += 1
        key = f"house-{self._number}"
        order = BookOrder(
            key=key,
            is_buy=is_buy,
            ord_type=OrdType.LIMIT,
            time_in_force=TimeInForce.IOC if immediate else TimeInForce.DAY,
            qty=qty,
            price=price,
        )
        entries = self._floor.digest(book.enter(order), at=at)
        if key in book.orders:
            desk.quotes.append(key)
        return entries

    def _pull(self, desk: _Desk, book: Book) -> None:
        for key in desk.quotes:
            book.cancel(key)
        desk.quotes.clear()


def _homesick(centre: int, anchor: int) -> int:
    """Steps the walk is pulled back: one from 1.5 % away from the anchor, two from 3 %."""
    away = abs(centre - anchor) * 1000 // anchor
    steps = 0 if away < 15 else 1 if away < 30 else 2
    return steps if centre > anchor else -steps
