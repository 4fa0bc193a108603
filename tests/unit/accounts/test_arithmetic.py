"""Money of trades and reservations, to the last minor unit."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.arithmetic import Effect, HoldAmounts, change_effect, fill_effect, hold_amounts, trade_value
from kernel.fix import Side
from kernel.numbers import Money

PENCE = {"divisor": 100, "currency": "GBP"}
YEN = {"divisor": 1, "currency": "JPY"}
QTY = st.decimals("0.00000001", "1000000", places=8)
PX = st.decimals("0.0001", "99999", places=4)


@pytest.mark.parametrize(
    ("qty", "px", "market", "amount"),
    [
        ("1000", "72.50", PENCE, "725.00"),
        ("1", "0.5", PENCE, "0.00"),
        ("1", "1.5", PENCE, "0.02"),
        ("3", "231.35", PENCE, "6.94"),
        ("7", "1234.5", YEN, "8642"),
        ("9", "1234.5", YEN, "11110"),
    ],
)
def test_value_rounds_half_even(qty: str, px: str, market: dict[str, object], amount: str) -> None:
    value = trade_value(qty=D(qty), px=D(px), **market)  # type: ignore[arg-type]
    assert value == Money(D(amount), str(market["currency"]))


@pytest.mark.parametrize(
    ("side", "effect"),
    [
        (Side.BUY, Effect(D(10), D("-7.25"))),
        (Side.SELL, Effect(D(-10), D("7.25"))),
        (Side.SELL_SHORT, Effect(D(-10), D("7.25"))),
        (Side.SELL_SHORT_EXEMPT, Effect(D(-10), D("7.25"))),
    ],
)
def test_a_fill_moves_both_ways(side: Side, effect: Effect) -> None:
    assert fill_effect(side=side, qty=D(10), px=D("72.50"), divisor=100, currency="GBP") == effect


@given(st.sampled_from(Side), st.lists(st.tuples(QTY, PX), min_size=1, max_size=6))
def test_any_path_of_corrections_ends_where_it_stands(side: Side, path: list[tuple[D, D]]) -> None:
    total_qty = total_cash = D(0)
    before = (D(0), D(0))
    for after in [*path, (D(0), D(0))]:
        effect = change_effect(side=side, before=before, after=after, divisor=100, currency="GBP")
        total_qty, total_cash, before = total_qty + effect.qty, total_cash + effect.cash, after
    assert (total_qty, total_cash) == (D(0), D(0))


@pytest.mark.parametrize(
    ("side", "leaves", "limit", "reference", "held"),
    [
        (Side.BUY, "1000", "72.50", "90", HoldAmounts(cash=D("725.00"))),
        (Side.BUY, "1", "0.1", None, HoldAmounts(cash=D("0.01"))),
        (Side.BUY, "1000", None, "72.50", HoldAmounts(cash=D("761.25"))),
        (Side.BUY, "0", "72.50", None, HoldAmounts()),
        (Side.SELL, "1000", "72.50", None, HoldAmounts(stock=D(1000))),
        (Side.SELL, "1000", None, None, HoldAmounts(stock=D(1000))),
        (Side.SELL_SHORT, "1000", "72.50", None, HoldAmounts()),
    ],
)
def test_what_an_open_order_holds(
    side: Side, leaves: str, limit: str | None, reference: str | None, held: object
) -> None:
    amounts = hold_amounts(
        side=side,
        leaves_qty=D(leaves),
        limit_px=D(limit) if limit else None,
        reference_px=D(reference) if reference else None,
        divisor=100,
        currency="GBP",
    )
    assert amounts == held


def test_a_buy_without_any_price_holds_nothing_silently() -> None:
    with pytest.raises(ValueError, match="reference price"):
        hold_amounts(side=Side.BUY, leaves_qty=D(1), limit_px=None, reference_px=None, divisor=1, currency="GBP")


@given(QTY, PX)
def test_one_fill_at_the_limit_never_costs_more_than_was_held(qty: D, px: D) -> None:
    held = hold_amounts(side=Side.BUY, leaves_qty=qty, limit_px=px, reference_px=None, divisor=100, currency="GBP")
    assert held.cash >= trade_value(qty=qty, px=px, divisor=100, currency="GBP").amount


def test_the_worse_of_two_holds() -> None:
    assert HoldAmounts(D(5), D(1)).worse(HoldAmounts(D(3), D(2))) == HoldAmounts(D(5), D(2))
