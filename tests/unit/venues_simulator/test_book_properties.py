"""Whatever is done to a book: never crossed, nothing lost or made, priority kept, same calls same events."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.fix import TimeInForce
from venues.simulator.book import Book
from venues.simulator.model import BookEvent, BookOrder, Gone, Phase, Removed, Traded
from venues.simulator.units import SCALE

from .helpers import book, order

RESTING = (TimeInForce.DAY, TimeInForce.GTC)


@dataclass(frozen=True)
class Step:
    """One thing done to a book: enter, cancel or replace; ``target`` picks an order already known."""

    what: str
    order: BookOrder | None = None
    target: int = 0
    qty: int = 1
    px: int = 100


@st.composite
def orders(draw: st.DrawFn) -> BookOrder:
    qty = draw(st.integers(1, 20))
    px = draw(st.one_of(st.none(), st.integers(95, 105)))
    tif = draw(st.sampled_from((*RESTING, TimeInForce.IOC, TimeInForce.FOK)))
    stop = draw(st.one_of(st.none(), st.none(), st.integers(96, 104)))
    display = draw(st.integers(1, qty)) if px is not None and draw(st.booleans()) else 0
    min_qty = draw(st.sampled_from((0, 0, 0, min(qty, 3))))
    side = draw(st.sampled_from(("buy", "sell")))
    return order("", side, qty, px, stop=stop, tif=tif, display=display, min_qty=min_qty)


STEPS = st.one_of(
    st.builds(lambda one: Step("enter", order=one), orders()),
    st.builds(lambda one: Step("enter", order=one), orders()),
    st.builds(lambda t: Step("cancel", target=t), st.integers(0, 50)),
    st.builds(
        lambda t, q, p: Step("replace", target=t, qty=q, px=p),
        st.integers(0, 50),
        st.integers(1, 20),
        st.integers(95, 105),
    ),
)


def play(b: Book, steps: list[Step]) -> tuple[dict[str, BookOrder], list[list[BookEvent]]]:
    """Do the steps; all orders ever entered, and the events of each step."""
    known: dict[str, BookOrder] = {}
    told: list[list[BookEvent]] = []
    for number, step in enumerate(steps):
        if step.what == "enter" and step.order is not None:
            one = replace(step.order, key=f"k{number}")
            known[one.key] = one
            told.append(b.enter(one))
            continue
        keys = sorted(b.orders)
        if not keys:
            continue
        key = keys[step.target % len(keys)]
        if step.what == "cancel":
            b.cancel(key)
        else:
            one = b.orders[key]
            price = None if one.price is None else step.px * SCALE
            told.append(
                b.replace(
                    key,
                    qty=step.qty * SCALE,
                    price=price,
                    stop_px=one.stop_px,
                    display=0,
                    time_in_force=one.time_in_force,
                )
            )
    return known, told


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_a_book_is_never_crossed_and_holds_only_live_orders(steps: list[Step]) -> None:
    b = book()
    play(b, steps)
    bid, ask = b.bids.best, b.asks.best
    assert bid is None or ask is None or bid < ask
    assert not b.bids.market
    assert not b.asks.market
    resting = {key for side in (b.bids, b.asks) for _, level in side.levels() for key in level}
    assert resting | set(b.stops) | set(b.parked) == set(b.orders)
    for one in b.orders.values():
        assert one.leaves > 0
        assert one.time_in_force in RESTING or one.is_stop
        if not one.is_stop:
            assert 0 < one.shown <= one.leaves


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_what_is_bought_is_sold_and_counted_once(steps: list[Step]) -> None:
    b = book()
    known, told = play(b, steps)
    filled: dict[str, int] = defaultdict(int)
    for event in (event for events in told for event in events):
        if isinstance(event, Traded):
            assert event.qty > 0
            assert known[event.buy].is_buy
            assert not known[event.sell].is_buy
            filled[event.buy] += event.qty
            filled[event.sell] += event.qty
    for key, one in known.items():
        assert filled[key] == one.cum
        assert one.cum <= one.qty


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_trades_are_within_both_limits(steps: list[Step]) -> None:
    b = book()
    limits: dict[str, int | None] = {}
    for number, step in enumerate(steps):
        if step.what != "enter" or step.order is None:
            continue
        one = replace(step.order, key=f"k{number}")
        limits[one.key] = one.price
        for event in b.enter(one):
            if isinstance(event, Traded):
                bought, sold = limits[event.buy], limits[event.sell]
                assert bought is None or event.px <= bought
                assert sold is None or event.px >= sold


@settings(max_examples=150, deadline=None)
@given(st.lists(orders(), max_size=30), orders())
def test_fill_or_kill_is_all_or_nothing_and_immediate_never_rests(resting: list[BookOrder], last: BookOrder) -> None:
    for force in (TimeInForce.FOK, TimeInForce.IOC):
        b = book()
        play(b, [Step("enter", order=one) for one in resting])
        one = replace(last, key="last", time_in_force=force, stop_px=None)
        events = b.enter(one)
        assert "last" not in b.orders
        if force is TimeInForce.FOK:
            assert one.cum in (0, one.qty)
        gone = [event.why for event in events if isinstance(event, Removed) and event.key == "last"]
        assert gone == ([] if one.cum == one.qty else gone[:1])
        assert set(gone) <= {Gone.FILL_OR_KILL, Gone.IMMEDIATE_REMAINDER, Gone.MINIMUM_QUANTITY}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(98, 102), st.integers(1, 9)), min_size=1, max_size=12), st.integers(1, 60))
def test_resting_orders_trade_in_price_then_time_order(asks: list[tuple[int, int]], wanted: int) -> None:
    b = book()
    for number, (px, qty) in enumerate(asks):
        b.enter(order(f"{number:02d}", "sell", qty, px))
    events = b.enter(order("taker", "buy", wanted, 102))
    met = [event.sell for event in events if isinstance(event, Traded)]
    expected = [f"{number:02d}" for number, _ in sorted(enumerate(asks), key=lambda pair: (pair[1][0], pair[0]))]
    assert met == expected[: len(met)]
    assert sum(e.qty for e in events if isinstance(e, Traded)) == min(wanted, sum(q for _, q in asks)) * SCALE


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_the_same_calls_give_the_same_events(steps: list[Step]) -> None:
    assert play(book(), steps)[1] == play(book(), steps)[1]


@settings(max_examples=150, deadline=None)
@given(st.lists(orders(), max_size=30))
def test_an_auction_leaves_no_crossed_book_and_trades_all_it_can(entered: list[BookOrder]) -> None:
    b = book(Phase.PRE_OPEN)
    known = {}
    for number, one in enumerate(entered):
        mine = replace(one, key=f"k{number}", time_in_force=TimeInForce.DAY, stop_px=None, min_qty=0)
        known[mine.key] = mine
        b.enter(mine)
    expected = b.indicative()
    events = b.move_to(Phase.CONTINUOUS)
    trades = [event for event in events if isinstance(event, Traded)]
    assert sum(event.qty for event in trades) == (expected.volume if expected else 0)
    assert {event.px for event in trades} == ({expected.px} if expected else set())
    bid, ask = b.bids.best, b.asks.best
    assert bid is None or ask is None or bid < ask
    for event in trades:
        assert known[event.buy].price is None or known[event.buy].price >= event.px  # type: ignore[operator]
        assert known[event.sell].price is None or known[event.sell].price <= event.px  # type: ignore[operator]
