"""What a change comes to: anew before settlement, a difference after, and the same money as if the trade had never been."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.domain.fees import Charge
from allocations.domain.cascade import Difference, Figures, Way, added, difference, figures_of

D = Decimal
TAX, COMMISSION = ("tax", "uk_sdrt", 1), ("commission", "commission", 2)
HAD = figures_of([Charge(*TAX, D("3.62")), Charge(*COMMISSION, D(7))], qty=D(1000), gross=D("-724.60"))


@pytest.mark.parametrize("settled", [True, False])
def test_nothing_changed_is_nothing_to_do(settled: bool) -> None:
    assert difference(standing=HAD, now=HAD, settled=settled) == Difference(Way.NONE)


@pytest.mark.parametrize(
    ("now", "settled", "expected"),
    [
        (figures_of([], qty=D(600), gross=D(-435)), False, Difference(Way.ANEW)),
        (Figures(), False, Difference(Way.UNDONE)),
        (
            figures_of([Charge(*TAX, D("2.18")), Charge(*COMMISSION, D(7))], qty=D(600), gross=D(-435)),
            True,
            Difference(Way.COMPENSATED, D(-400), D("289.60"), (Charge(*TAX, D("-1.44")),)),
        ),
        (
            Figures(),
            True,
            Difference(Way.COMPENSATED, D(-1000), D("724.60"), (Charge(*COMMISSION, D(-7)), Charge(*TAX, D("-3.62")))),
        ),
        (
            figures_of([Charge(*TAX, D("3.62")), Charge(*COMMISSION, D(7))], qty=D(1000), gross=D("-724.50")),
            True,
            Difference(Way.MONEY_ALONE, D(0), D("0.10")),
        ),
        (
            figures_of([Charge(*TAX, D("3.62")), Charge(*COMMISSION, D(7))], qty=D(2000), gross=D("-724.60")),
            True,
            Difference(Way.COMPENSATED, D(1000)),
        ),
        (
            figures_of([Charge(*TAX, D("3.62")), Charge(*COMMISSION, D(14))], qty=D(2000), gross=D("-724.60")),
            False,
            Difference(Way.ANEW),
        ),
    ],
    ids=[
        "busted in part",
        "busted",
        "busted in part, settled",
        "busted, settled",
        "repriced, settled",
        "more units for the same money, settled",
        "more units for the same money, charged by share, not settled",
    ],
)
def test_what_there_is_to_do(now: Figures, settled: bool, expected: Difference) -> None:
    assert difference(standing=HAD, now=now, settled=settled) == expected


MONEY = st.decimals(-(10**6), 10**6, places=2, allow_nan=False)
FIGURES = st.builds(
    lambda qty, gross, tax, commission: figures_of(
        [Charge(*TAX, tax), Charge(*COMMISSION, commission)], qty=qty, gross=gross
    ),
    st.integers(0, 10**6).map(Decimal),
    MONEY,
    MONEY,
    MONEY,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FIGURES, st.lists(FIGURES, min_size=1, max_size=6))
def test_a_settled_trade_and_its_differences_are_always_what_its_executions_are(
    first: Figures, later: list[Figures]
) -> None:
    standing = [first]
    for now in later:
        change = difference(standing=added(standing), now=now, settled=True)
        standing.append(figures_of(change.charges, qty=change.qty, gross=change.gross))
        assert added(standing) == now
        assert difference(standing=added(standing), now=now, settled=True).way is Way.NONE
