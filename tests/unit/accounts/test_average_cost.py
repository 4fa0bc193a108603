"""Weighted average cost: worked figures, zero crossings, and that no money is ever lost or made by rounding."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.average_cost import (
    COST_UNKNOWN,
    FLAT,
    SEVERAL_CURRENCIES,
    Kind,
    Movement,
    cost_of,
    trail_of,
)


def told(*values: object) -> tuple[object, ...]:
    """Figures side by side, to be compared with whole numbers."""
    return values


def trade(qty: str, cash: str, currency: str = "GBP") -> Movement:
    return Movement(Kind.TRADE, D(qty), D(cash), currency)


def test_buys_average_and_sales_realise() -> None:
    trail = trail_of(
        [
            trade("100", "-1000"),
            trade("100", "-1200"),
            trade("-50", "650"),
            trade("-150", "1500"),
            trade("10", "-99.99"),
        ]
    )
    assert [told(c.qty, c.value, c.average, c.realised.get("GBP")) for c in trail[1:]] == [
        (100, 1000, 10, None),
        (200, 2200, 11, None),
        (150, 1650, 11, 100),
        (0, 0, None, -50),
        (10, D("99.99"), D("9.999"), -50),
    ]


def test_a_share_of_the_pool_is_rounded_and_the_last_unit_takes_what_is_left() -> None:
    trail = trail_of([trade("3", "-10"), trade("-1", "4"), trade("-1", "4"), trade("-1", "4")])
    assert [(c.value, c.realised.get("GBP", D(0))) for c in trail[1:]] == [
        (10, 0),
        (D("6.67"), D("0.67")),
        (D("3.33"), D("1.33")),
        (0, 2),
    ]


def test_a_short_position_keeps_what_was_received() -> None:
    trail = trail_of([trade("-100", "1000"), trade("-100", "800"), trade("50", "-400"), trade("150", "-1500")])
    assert [told(c.qty, c.value, c.average, c.realised.get("GBP")) for c in trail[1:]] == [
        (-100, -1000, 10, None),
        (-200, -1800, 9, None),
        (-150, -1350, 9, 50),
        (0, 0, None, -100),
    ]


@pytest.mark.parametrize(
    ("first", "through", "value", "average", "realised"),
    [
        (trade("100", "-1000"), trade("-150", "1800"), "-600", "12", "200"),
        (trade("-100", "1000"), trade("150", "-1200"), "400", "8", "200"),
    ],
)
def test_through_zero_closes_one_pool_and_opens_another(
    first: Movement, through: Movement, value: str, average: str, realised: str
) -> None:
    cost = cost_of([first, through])
    assert (cost.value, cost.average, cost.realised) == (D(value), D(average), {"GBP": D(realised)})


def test_units_without_a_cost_are_said_to_be_unknown_until_the_position_is_flat() -> None:
    brought = Movement(Kind.BROUGHT_IN, D(100), None, "")
    trail = trail_of([brought, trade("-40", "500"), trade("-60", "700"), trade("10", "-100"), trade("-10", "130")])
    assert [(c.why, c.value) for c in trail[1:]] == [
        (COST_UNKNOWN, None), (COST_UNKNOWN, None), ("", 0), ("", 100), ("", 0),
    ]  # fmt: skip
    assert told(trail[-1].realised, trail[-1].realised_whole) == ({"GBP": 30}, False)
    assert cost_of([Movement(Kind.BROUGHT_IN, D(100), D(-1000), "GBP"), trade("-40", "500")]).realised == {"GBP": 100}


def test_two_currencies_are_not_added_up() -> None:
    cost = cost_of([trade("100", "-1000"), trade("100", "-1000", "EUR")])
    assert (cost.why, cost.value, cost.average) == (SEVERAL_CURRENCIES, None, None)
    sold = cost_of([trade("100", "-1000"), trade("-100", "1000", "EUR"), trade("5", "-50", "EUR")])
    assert told(sold.why, sold.value, sold.currency, sold.realised, sold.realised_whole) == ("", 50, "EUR", {}, False)


def test_a_split_changes_units_and_no_money() -> None:
    split = Movement(Kind.RESHAPED, D(100), D(0), "")
    cost = cost_of([trade("100", "-1000"), split, trade("-50", "300")])
    assert told(cost.qty, cost.value, cost.average, cost.realised) == (150, 750, 5, {"GBP": 50})
    assert cost_of([trade("100", "-1000"), Movement(Kind.RESHAPED, D(-100), D(0), "")]).realised == {"GBP": -1000}


@pytest.mark.parametrize(
    ("paid", "value", "realised"), [("4", "996", None), ("1000", "0", None), ("1200", "0", "200"), ("-4", "1004", None)]
)
def test_money_for_fractions_is_taken_off_the_cost(paid: str, value: str, realised: str | None) -> None:
    cost = cost_of([trade("100", "-1000"), Movement(Kind.RESHAPED, D("-66.66666667"), D(paid), "GBP")])
    assert (cost.value, cost.realised.get("GBP")) == (D(value), D(realised) if realised else None)
    foreign = cost_of([trade("100", "-1000"), Movement(Kind.RESHAPED, D(-1), D(4), "EUR")])
    assert foreign.why == SEVERAL_CURRENCIES


def test_what_is_taken_out_leaves_at_cost() -> None:
    cost = cost_of([trade("100", "-1000"), Movement(Kind.TAKEN_OUT, D(-25), D(0), "")])
    assert told(cost.qty, cost.value, cost.realised) == (75, 750, {})
    more = cost_of([trade("10", "-100"), Movement(Kind.TAKEN_OUT, D(-25), D(0), "")])
    assert told(more.qty, more.value, more.why) == (-15, None, COST_UNKNOWN)


def test_a_fee_that_outlives_its_trade_is_a_loss() -> None:
    assert cost_of([trade("0", "-7.50")]).realised == {"GBP": D("-7.50")}
    assert cost_of([]) == FLAT


MONEY = st.integers(1, 10**9).map(lambda pence: D(pence) / 100)
QTY = st.integers(1, 10**6).map(D)


@st.composite
def trades(draw: st.DrawFn) -> Movement:
    qty, money, buys = draw(QTY), draw(MONEY), draw(st.booleans())
    return Movement(Kind.TRADE, qty if buys else -qty, -money if buys else money, "GBP")


@given(st.lists(trades(), max_size=30))
def test_all_money_is_either_realised_or_in_the_position(movements: list[Movement]) -> None:
    for done, cost in enumerate(trail_of(movements)):
        cash = sum((m.cash or D(0) for m in movements[:done]), D(0))
        qty = sum((m.qty for m in movements[:done]), D(0))
        assert cost.value is not None
        assert cost.qty == qty
        assert cash == cost.realised.get("GBP", D(0)) - cost.value
        assert cost.value * qty >= 0
        assert qty != 0 or cost.value == 0
        assert cost.value == cost.value.quantize(D("0.01"))


@given(st.lists(trades(), max_size=12), trades(), st.integers(0, 12))
def test_a_busted_trade_leaves_the_cost_as_if_it_had_never_been(
    movements: list[Movement], busted: Movement, place: int
) -> None:
    at = min(place, len(movements))
    gone = Movement(Kind.TRADE, D(0), D(0), "GBP")
    assert cost_of([*movements[:at], gone, *movements[at:]]) == cost_of(movements)
    assert cost_of([*movements[:at], busted, *movements[at:]]).qty == cost_of(movements).qty + busted.qty
