"""Opening and closing auctions: the uncrossing price, who trades, what is left over, halts within a call."""

from __future__ import annotations

import pytest

from kernel.fix import TimeInForce
from venues.simulator.auction import Uncrossing, uncross
from venues.simulator.model import Phase

from .helpers import book, depth, order, said

AT_OPEN, AT_CLOSE = TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE


@pytest.mark.parametrize(
    ("bids", "asks", "market_buy", "market_sell", "reference", "expected"),
    [
        # most volume: at 101 sixty trade, at 100 fifty, at 102 thirty
        ([(102, 30), (101, 30), (100, 10)], [(100, 50), (101, 30)], 0, 0, 100, Uncrossing(101, 60, -20)),
        # equal volume at 100, 101 and 102: least surplus is at 102
        ([(102, 50), (100, 20)], [(100, 50)], 0, 0, 100, Uncrossing(102, 50, 0)),
        # volume and surplus equal at 100 and 102: nearest the reference, which itself is a candidate
        ([(102, 50)], [(100, 50)], 0, 0, 101, Uncrossing(101, 50, 0)),
        ([(102, 50)], [(100, 50)], 0, 0, 99, Uncrossing(100, 50, 0)),
        ([(102, 50)], [(100, 50)], 0, 0, 200, Uncrossing(102, 50, 0)),
        # market orders alone trade at the reference
        ([], [], 70, 40, 100, Uncrossing(100, 40, 30)),
        # market orders count at every price
        ([(99, 10)], [(101, 30)], 25, 0, 100, Uncrossing(101, 25, -5)),
        ([(99, 10)], [(100, 10)], 0, 0, 100, None),
        ([], [(100, 10)], 0, 0, 100, None),
    ],
)
def test_the_price_of_an_auction(
    bids: list[tuple[int, int]],
    asks: list[tuple[int, int]],
    market_buy: int,
    market_sell: int,
    reference: int,
    expected: Uncrossing | None,
) -> None:
    found = uncross(bids=bids, asks=asks, market_buy=market_buy, market_sell=market_sell, reference=reference)
    assert found == expected


def test_an_opening_fills_market_orders_first_then_price_then_time() -> None:
    b = book(Phase.PRE_OPEN)
    for key, side, qty, px in (
        ("b1", "buy", 10, 101),
        ("b2", "buy", 10, 102),
        ("b3", "buy", 10, 101),
        ("mkt", "buy", 5, None),
        ("s1", "sell", 20, 100),
    ):
        assert said(b.enter(order(key, side, qty, px))) == []
    assert said(b.move_to(Phase.CONTINUOUS)) == ["mkt x s1 5@100", "b2 x s1 10@100", "b1 x s1 5@100"]
    assert depth(b) == (["101: b1 5/5, b3 10/10"], [])


def test_left_over_market_and_at_open_orders_leave_and_limits_stay() -> None:
    b = book(Phase.PRE_OPEN)
    b.enter(order("open", "buy", 10, 100, tif=AT_OPEN))
    b.enter(order("mkt", "sell", 4))
    b.enter(order("day", "buy", 10, 99))
    b.enter(order("late", "sell", 10, 103, tif=AT_OPEN))
    assert said(b.move_to(Phase.CONTINUOUS)) == [
        "open x mkt 4@100",
        "-open 6 auction_over",
        "-late 10 auction_over",
    ]
    assert depth(b) == (["99: day 10/10"], [])


def test_market_orders_nobody_meets_leave_at_the_open() -> None:
    b = book(Phase.PRE_OPEN)
    b.enter(order("mkt", "buy", 4))
    assert said(b.move_to(Phase.CONTINUOUS)) == ["-mkt 4 no_liquidity"]


def test_hidden_quantity_takes_part_in_an_auction() -> None:
    b = book(Phase.PRE_OPEN)
    b.enter(order("ice", "sell", 10, 100, display=2))
    b.enter(order("b", "buy", 7, 100))
    assert said(b.move_to(Phase.CONTINUOUS)) == ["b x ice 7@100"]
    assert depth(b) == ([], ["100: ice 2/3"])


def test_at_close_orders_wait_for_the_closing_call_and_expire_after_it() -> None:
    b = book()
    b.enter(order("close", "buy", 10, 101, tif=AT_CLOSE))
    b.enter(order("s", "sell", 4, 100))
    assert depth(b) == ([], ["100: s 4/4"])
    assert said(b.move_to(Phase.CLOSING_CALL)) == []
    assert depth(b)[0] == ["101: close 10/10"]
    assert said(b.move_to(Phase.CLOSED)) == ["close x s 4@100", "-close 6 auction_over"]


def test_an_at_open_order_entered_late_waits_for_the_next_opening() -> None:
    b = book()
    b.enter(order("open", "buy", 10, 101, tif=AT_OPEN))
    b.enter(order("s", "sell", 4, 100))
    b.move_to(Phase.CLOSING_CALL)
    b.move_to(Phase.CLOSED)
    assert depth(b) == ([], ["100: s 4/4"])
    b.move_to(Phase.PRE_OPEN)
    assert said(b.move_to(Phase.CONTINUOUS)) == ["open x s 4@100", "-open 6 auction_over"]


def test_the_auction_price_triggers_stops() -> None:
    b = book(Phase.PRE_OPEN, reference=90)
    b.enter(order("stop", "buy", 1, stop=100))
    b.enter(order("b", "buy", 5, 100))
    b.enter(order("s", "sell", 5, 100))
    b.enter(order("more", "sell", 5, 101))
    assert said(b.move_to(Phase.CONTINUOUS)) == ["b x s 5@100", "!stop", "stop x more 1@101 by stop"]


def test_a_halt_in_a_call_keeps_the_auction_for_later() -> None:
    b = book(Phase.PRE_OPEN)
    b.enter(order("b", "buy", 5, 101))
    b.enter(order("s", "sell", 5, 100))
    assert b.move_to(Phase.HALTED) == []
    assert said(b.move_to(Phase.CONTINUOUS)) == ["b x s 5@100"]


def test_what_an_auction_would_do_now_is_known_before() -> None:
    b = book(Phase.PRE_OPEN)
    assert b.indicative() is None
    b.enter(order("b", "buy", 5, 101))
    b.enter(order("s", "sell", 3, 100))
    found = b.indicative()
    assert found is not None
    assert (found.px // 10**8, found.volume // 10**8, found.surplus // 10**8) == (100, 3, 2)
