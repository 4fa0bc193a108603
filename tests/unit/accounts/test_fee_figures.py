"""Charges in whole numbers are the charges in decimals, to the minor unit, for any schedule and any trade a column holds."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.fee_figures import UNITS, owed_by
from accounts.domain.fees import Basis, Charge, ChargeKind, ChargeTerms, Tier, charges
from kernel.numbers import Rounding, minor_unit

MONEY = st.decimals("0", "5000", places=4)
CAP = st.one_of(st.none(), MONEY)
UNITS_OF_A_TRADE = st.one_of(st.integers(0, 10**14), st.integers(1, 10**6).map(lambda shares: shares * UNITS))
MINOR = st.one_of(st.integers(0, 10**8), st.sampled_from([0, 1, 999_999, 1_000_000, 1_000_001]))


@st.composite
def lines(draw: st.DrawFn) -> ChargeTerms:
    reach = sorted(draw(st.lists(st.decimals("0", "900000", places=3), max_size=3)))
    tiers = [Tier(up_to, draw(st.decimals("0", "90", places=4))) for up_to in reach]
    if draw(st.booleans()):
        tiers.append(Tier(None, draw(st.decimals("0", "90", places=4))))
    return ChargeTerms(
        name="line",
        version=draw(st.integers(1, 3)),
        kind=draw(st.sampled_from(ChargeKind)),
        basis=Basis.ORDER_DAY,
        rounding=draw(st.sampled_from(Rounding)),
        currency="",
        flat=draw(MONEY),
        per_share=draw(st.decimals("0", "2", places=6)),
        bps=draw(st.decimals("0", "90", places=4)),
        tiers=tuple(tiers),
        minimum=draw(MONEY),
        maximum=draw(CAP),
        maximum_bps=draw(st.one_of(st.none(), st.decimals("0", "300", places=3))),
        above=draw(st.sampled_from([D(0), D("0.004"), D(10_000), D("9999.995")])),
    )


@settings(max_examples=400, deadline=None)
@given(
    terms=st.lists(lines(), min_size=1, max_size=3),
    currency=st.sampled_from(["GBP", "JPY", "KWD"]),
    trades=st.lists(st.tuples(UNITS_OF_A_TRADE, MINOR), min_size=1, max_size=4),
)
def test_whole_numbers_and_decimals_charge_the_same(
    terms: list[ChargeTerms], currency: str, trades: list[tuple[int, int]]
) -> None:
    """Each trade of a column what it is charged alone, in decimals."""
    units, values = zip(*trades, strict=True)
    assert [list(owed) for owed in owed_by(tuple(terms), currency)(units, values)] == [
        charges(tuple(terms), qty=D(one) / UNITS, value=minor_unit(currency) * minor, currency=currency)
        for one, minor in trades
    ]


@pytest.mark.parametrize(("minor", "owed"), [(1_000_000, []), (1_000_001, [Charge("fee", "levy", 2, D("1.50"))])])
def test_at_the_threshold_nothing_is_owed_and_a_penny_above_it_all(minor: int, owed: list[Charge]) -> None:
    levy = ChargeTerms(
        "levy", 2, ChargeKind.FEE, Basis.ORDER_DAY, Rounding.HALF_UP, "GBP", flat=D("1.50"), above=D(10_000)
    )
    assert [list(one) for one in owed_by((levy,), "GBP")([UNITS], [minor])] == [owed]
    assert owed_by((), "GBP")([UNITS, 0], [minor, 0]) == [(), ()]
