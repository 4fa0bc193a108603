"""What a block comes to is the sum of its executions, in any order, and its key follows from facts alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from allocations.domain.blocks import Sums, Together, summed
from kernel.ids import new_id

FILLS = st.lists(
    st.tuples(
        st.decimals(0, 10**9, places=8, allow_nan=False),
        st.decimals("0.00000001", 10**6, places=8, allow_nan=False),
        st.decimals(-(10**9), 10**9, places=2, allow_nan=False),
    ),
    max_size=30,
)


@given(FILLS, st.randoms())
def test_sums_are_exact_and_know_no_order(fills: list[tuple[Decimal, Decimal, Decimal]], chance: object) -> None:
    mixed = list(fills)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    sums = summed(fills)

    assert summed(mixed) == sums
    assert sums.qty == sum((fill[0] for fill in fills), Decimal(0))
    assert Fraction(sums.notional) == sum((Fraction(qty) * Fraction(px) for qty, px, _ in fills), Fraction(0))
    if sums.qty:
        assert abs(Fraction(sums.avg_px) - Fraction(sums.notional) / Fraction(sums.qty)) <= Fraction(1, 2 * 10**12)
    else:
        assert sums.avg_px == 0


def test_a_busted_execution_counts_for_nothing() -> None:
    assert summed([(Decimal(0), Decimal("72.4"), Decimal(0))]) == Sums()


def test_executions_are_together_by_what_settles_together() -> None:
    day, later = date(2026, 11, 20), date(2026, 11, 24)
    one = Together(True, new_id(), new_id(), "1", day, later, "A")
    others = [
        replace(one, account_id=new_id()),
        replace(one, listing_id=new_id()),
        replace(one, side="2"),
        replace(one, trade_date=later),
        replace(one, settlement_date=date(2026, 11, 25)),
        replace(one, capacity="P"),
        replace(one, order_id=new_id()),
    ]

    assert len({one.key, *(other.key for other in others)}) == 1 + len(others)
    direct = replace(one, wash=False, order_id=new_id())
    assert replace(direct, capacity="P").key == direct.key
    assert replace(direct, order_id=new_id()).key != direct.key
