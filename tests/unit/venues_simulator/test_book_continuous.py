"""Continuous trading: priority, order types, times in force, minimum and displayed quantity, cancel and replace."""

from __future__ import annotations

import pytest

from kernel.fix import TimeInForce
from venues.simulator.model import Phase
from venues.simulator.units import SCALE

from .helpers import book, depth, order, said

IOC, FOK, DAY = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.DAY


def test_best_price_first_then_oldest_at_the_resting_price() -> None:
    b = book()
    for key, px in (("late", 101), ("early", 100), ("second", 100)):
        assert said(b.enter(order(key, "sell", 5, px))) == []
    assert said(b.enter(order("buyer", "buy", 12, 102))) == [
        "buyer x early 5@100 by buyer",
        "buyer x second 5@100 by buyer",
        "buyer x late 2@101 by buyer",
    ]
    assert depth(b) == ([], ["101: late 3/3"])
    assert b.last == 101 * SCALE


def test_a_limit_that_does_not_cross_rests_and_the_remainder_of_one_that_does() -> None:
    b = book()
    b.enter(order("s", "sell", 5, 101))
    assert said(b.enter(order("low", "buy", 5, 100))) == []
    assert said(b.enter(order("high", "buy", 8, 101))) == ["high x s 5@101 by high"]
    assert depth(b) == (["101: high 3/3", "100: low 5/5"], [])


def test_the_remainder_of_a_market_order_leaves() -> None:
    b = book()
    b.enter(order("s", "sell", 5, 101))
    assert said(b.enter(order("m", "buy", 8))) == ["m x s 5@101 by m", "-m 3 no_liquidity"]
    assert said(b.enter(order("n", "sell", 1))) == ["-n 1 no_liquidity"]
    assert b.orders == {}


def test_immediate_or_cancel_never_rests() -> None:
    b = book()
    b.enter(order("s", "sell", 5, 101))
    assert said(b.enter(order("i", "buy", 8, 101, tif=IOC))) == ["i x s 5@101 by i", "-i 3 immediate_remainder"]
    assert said(b.enter(order("j", "buy", 8, 101, tif=IOC))) == ["-j 8 immediate_remainder"]
    assert depth(b) == ([], [])


@pytest.mark.parametrize(
    ("qty", "px", "expected"),
    [
        (10, 102, ["f x a 5@101 by f", "f x b 5@102 by f"]),
        (11, 102, ["-f 11 fill_or_kill"]),
        (10, 101, ["-f 10 fill_or_kill"]),
    ],
)
def test_fill_or_kill_is_all_or_nothing(qty: int, px: int, expected: list[str]) -> None:
    b = book()
    b.enter(order("a", "sell", 5, 101))
    b.enter(order("b", "sell", 5, 102))
    before = depth(b)
    assert said(b.enter(order("f", "buy", qty, px, tif=FOK))) == expected
    if expected[0].startswith("-"):
        assert depth(b) == before


def test_fill_or_kill_counts_hidden_quantity() -> None:
    b = book()
    b.enter(order("ice", "sell", 10, 101, display=2))
    assert len(said(b.enter(order("f", "buy", 10, 101, tif=FOK)))) == 5
    assert b.orders == {}


def test_minimum_quantity_is_tested_once_at_entry() -> None:
    b = book()
    b.enter(order("s", "sell", 5, 101))
    assert said(b.enter(order("m", "buy", 10, 101, min_qty=6))) == ["-m 10 minimum_quantity"]
    assert said(b.enter(order("n", "buy", 10, 101, min_qty=5))) == ["n x s 5@101 by n"]
    assert said(b.enter(order("t", "sell", 1, 101))) == ["n x t 1@101 by t"]


def test_an_iceberg_shows_a_part_and_each_refresh_loses_its_place() -> None:
    b = book()
    b.enter(order("ice", "sell", 10, 100, display=4))
    b.enter(order("plain", "sell", 5, 100))
    assert depth(b)[1] == ["100: ice 4/10, plain 5/5"]
    assert said(b.enter(order("x", "buy", 4, 100))) == ["x x ice 4@100 by x"]
    assert depth(b)[1] == ["100: plain 5/5, ice 4/6"]
    assert said(b.enter(order("y", "buy", 7, 100))) == ["y x plain 5@100 by y", "y x ice 2@100 by y"]
    assert depth(b)[1] == ["100: ice 2/4"]
    assert said(b.enter(order("z", "buy", 3, 100))) == ["z x ice 2@100 by z", "z x ice 1@100 by z"]
    assert depth(b)[1] == ["100: ice 1/1"]


def test_one_owner_may_trade_with_itself() -> None:
    b = book()
    b.enter(order("mine", "sell", 5, 100))
    assert said(b.enter(order("mine too", "buy", 5, 100))) == ["mine too x mine 5@100 by mine too"]


def test_a_stop_is_invisible_until_the_last_trade_reaches_it() -> None:
    b = book()
    b.enter(order("stop", "buy", 5, stop=103))
    assert depth(b) == ([], [])
    b.enter(order("s1", "sell", 1, 102))
    b.enter(order("s2", "sell", 1, 103))
    b.enter(order("s3", "sell", 9, 104))
    assert said(b.enter(order("x", "buy", 1, 102))) == ["x x s1 1@102 by x"]
    assert said(b.enter(order("y", "buy", 1, 103))) == ["y x s2 1@103 by y", "!stop", "stop x s3 5@104 by stop"]


def test_a_stop_limit_rests_at_its_limit_once_triggered() -> None:
    b = book()
    b.enter(order("stop", "sell", 5, 97, stop=98))
    b.enter(order("bid", "buy", 1, 98))
    assert said(b.enter(order("x", "sell", 1, 98))) == ["bid x x 1@98 by x", "!stop"]
    assert depth(b) == ([], ["97: stop 5/5"])


def test_a_stop_already_reached_is_active_at_once() -> None:
    b = book(reference=100)
    b.enter(order("s", "sell", 5, 101))
    assert said(b.enter(order("stop", "buy", 2, stop=100))) == ["!stop", "stop x s 2@101 by stop"]


def test_stops_touched_together_go_oldest_first_and_may_touch_others() -> None:
    b = book()
    b.enter(order("first", "buy", 1, stop=103))
    b.enter(order("second", "buy", 1, stop=102))
    b.enter(order("far", "buy", 1, stop=104))
    for n, px in enumerate((103, 104, 105, 106)):
        b.enter(order(f"s{n}", "sell", 1, px))
    assert said(b.enter(order("x", "buy", 1, 103))) == [
        "x x s0 1@103 by x",
        "!first",
        "first x s1 1@104 by first",
        "!second",
        "second x s2 1@105 by second",
        "!far",
        "far x s3 1@106 by far",
    ]


def test_cancel_takes_an_order_out_wherever_it_is() -> None:
    b = book()
    b.enter(order("limit", "buy", 5, 99))
    b.enter(order("stop", "buy", 5, stop=103))
    b.enter(order("close", "buy", 5, 99, tif=TimeInForce.AT_CLOSE))
    for key in ("limit", "stop", "close"):
        taken = b.cancel(key)
        assert taken is not None
        assert taken.leaves == 5 * SCALE
    assert (b.orders, b.stops, b.parked, depth(b)) == ({}, {}, {}, ([], []))
    assert b.cancel("limit") is None


def replaced(b: object, key: str, qty: int, px: int | None, *, display: int = 0) -> list[str]:
    """Replace a limit order and say what happened."""
    price = None if px is None else px * SCALE
    return said(b.replace(key, qty=qty * SCALE, price=price, stop_px=None, display=display * SCALE, time_in_force=DAY))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("qty", "px", "display", "expected"),
    [
        (4, 100, 0, "100: a 4/4, b 5/5"),
        (5, 100, 0, "100: a 5/5, b 5/5"),
        (6, 100, 0, "100: b 5/5, a 6/6"),
        (5, 100, 2, "100: b 5/5, a 2/5"),
    ],
)
def test_priority_is_kept_only_when_quantity_goes_down_at_the_same_price(
    qty: int, px: int, display: int, expected: str
) -> None:
    b = book()
    b.enter(order("a", "buy", 5, 100))
    b.enter(order("b", "buy", 5, 100))
    assert replaced(b, "a", qty, px, display=display) == []
    assert depth(b)[0] == [expected]


def test_a_replace_that_crosses_trades() -> None:
    b = book()
    b.enter(order("s", "sell", 3, 101))
    b.enter(order("a", "buy", 5, 100))
    assert replaced(b, "a", 5, 101) == ["a x s 3@101 by a"]
    assert depth(b) == (["101: a 2/2"], [])


def test_a_replace_at_or_below_what_is_executed_ends_the_order() -> None:
    b = book()
    b.enter(order("a", "buy", 5, 100))
    b.enter(order("s", "sell", 3, 100))
    kept = b.orders["a"]
    assert replaced(b, "a", 2, 100) == []
    assert (kept.qty, kept.cum, b.orders, depth(b)) == (3 * SCALE, 3 * SCALE, {}, ([], []))


def test_a_halt_matches_nothing_and_lets_orders_go() -> None:
    b = book()
    b.enter(order("a", "buy", 5, 100))
    b.enter(order("b", "buy", 5, 99))
    assert b.move_to(Phase.HALTED) == []
    with pytest.raises(ValueError, match="TEST is halted"):
        b.enter(order("s", "sell", 5, 99))
    assert b.cancel("a") is not None
    assert b.move_to(Phase.CONTINUOUS) == []
    assert said(b.enter(order("s", "sell", 5, 99))) == ["b x s 5@99 by s"]


def test_the_same_key_twice_is_a_mistake_of_the_caller() -> None:
    b = book()
    b.enter(order("a", "buy", 5, 100))
    with pytest.raises(ValueError, match="already in the book"):
        b.enter(order("a", "buy", 1, 100))
