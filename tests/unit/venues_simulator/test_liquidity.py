"""The house keeps books alive: two-sided, near the reference, bounded, repeatable, and it fills members in parts."""

from __future__ import annotations

from datetime import timedelta

from venues.simulator.exchange import Exchange
from venues.simulator.liquidity import LEVELS, Liquidity
from venues.simulator.model import Phase
from venues.simulator.units import SCALE

from .floor_helpers import AT, SESSION, VOD, exchange, new


def run(one: Exchange, house: Liquidity, seconds: int, *, begin: int = 0) -> None:
    """Let the house work for some seconds, ten steps a second."""
    for step in range(begin * 10, (begin + seconds) * 10):
        house.step(step / 10, at=AT + timedelta(milliseconds=100 * step))


def test_both_sides_are_quoted_in_levels_on_ticks() -> None:
    one = exchange()
    run(one, Liquidity(one, seed=1), 2)
    book = one.books["VOD.L"]
    bids, asks = list(book.bids.levels()), list(book.asks.levels())
    assert (len(bids), len(asks)) == (LEVELS, LEVELS)
    assert bids[0][0] < asks[0][0]
    for px, level in (*bids, *asks):
        assert VOD.on_tick(px)
        assert all(o.leaves % VOD.lot == 0 for o in level.values())


def test_the_market_stays_near_its_anchor_and_small_for_hours() -> None:
    one = exchange()
    house = Liquidity(one, seed=7)
    seen = set()
    for minute in range(60):
        run(one, house, 60, begin=minute * 60)
        book = one.books["VOD.L"]
        seen.add(book.last)
        assert len(book.orders) <= 2 * LEVELS
        assert abs(book.last - VOD.anchor) * 100 <= VOD.anchor * 12
    assert len(seen) > 3
    assert one.orders == {}


def test_the_same_seed_gives_the_same_market() -> None:
    pictures = []
    for _ in range(2):
        one = exchange()
        run(one, Liquidity(one, seed=3), 30)
        book = one.books["VOD.L"]
        pictures.append((book.last, [px for px, _ in book.bids.levels()], [px for px, _ in book.asks.levels()]))
    assert pictures[0] == pictures[1]


def test_a_member_at_the_touch_is_filled_in_parts_over_seconds() -> None:
    one = exchange()
    house = Liquidity(one, seed=5)
    run(one, house, 2)
    bid = one.books["VOD.L"].bids.best
    assert bid is not None
    one.handle(new("A", "1", 5000, None), at=AT)
    one.handle(new("B", "1", 3000, str((bid + SCALE // 2) // SCALE)), at=AT)
    order = one.find(SESSION, "B")
    assert order is not None
    at_once = len(order.trades)
    run(one, house, 60, begin=2)
    assert len(order.trades) >= at_once + 3
    assert order.cum <= 3000 * SCALE


def test_the_house_stays_out_where_it_is_told_to() -> None:
    one = exchange()
    house = Liquidity(one, seed=1)
    run(one, house, 2)
    house.withdraw("VOD.L")
    assert one.books["VOD.L"].orders == {}
    for step in range(100):
        house.step(2 + step / 10, at=AT, held=("VOD.L",))
    assert one.books["VOD.L"].orders == {}


def test_nothing_is_done_in_a_halt_or_after_the_close() -> None:
    for phase in (Phase.HALTED, Phase.CLOSED):
        one = exchange(phase)
        run(one, Liquidity(one, seed=1), 5)
        assert one.books["VOD.L"].orders == {}
