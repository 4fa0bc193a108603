"""What of a statement's difference is trades that settled: a table of cases, and what holds for any."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.statement import Due, Settled, explain

D = Decimal
MON, TUE = date(2026, 11, 23), date(2026, 11, 24)


def due(day: date, receipts: int, deliveries: int) -> Due:
    return Due(day, D(receipts), D(deliveries))


@pytest.mark.parametrize(
    ("difference", "dues", "moved", "settles"),
    [
        (0, [], 0, []),
        (50, [], 0, []),
        (100, [due(MON, 100, 0)], 100, [(MON, 100)]),
        (60, [due(MON, 100, 0)], 60, [(MON, 60)]),
        (150, [due(MON, 100, 0)], 100, [(MON, 100)]),
        (-20, [due(MON, 100, 0)], 0, []),
        (0, [due(MON, 100, 0)], 0, []),
        # Bought and sold for one day: both settle though nothing moves, so that neither explains another day's difference.
        (0, [due(MON, 100, -100)], 0, [(MON, 100), (MON, -100)]),
        (70, [due(MON, 100, -30)], 70, [(MON, 100), (MON, -30)]),
        # The purchase settled and the sale failed: the sale stays to be delivered, nothing can be sold twice.
        (100, [due(MON, 100, -30)], 100, [(MON, 100)]),
        (-30, [due(MON, 100, -30)], -30, [(MON, -30)]),
        (-50, [due(MON, 0, -30), due(TUE, 0, -40)], -50, [(MON, -30), (TUE, -20)]),
        (120, [due(TUE, 50, 0), due(MON, 100, 0)], 120, [(MON, 100), (TUE, 20)]),
    ],
)
def test_the_difference_is_laid_on_what_was_due(
    difference: int, dues: list[Due], moved: int, settles: list[tuple[date, int]]
) -> None:
    found = explain(D(difference), dues)

    assert (found.moved, found.unexplained) == (D(moved), D(difference - moved))
    assert found.settles == tuple(Settled(day, D(amount)) for day, amount in settles)


AMOUNTS = st.integers(-200, 200).map(D)
DUES = st.lists(st.builds(Due, st.dates(MON, TUE), st.integers(0, 100).map(D), st.integers(-100, 0).map(D)), max_size=4)


@given(AMOUNTS, DUES)
def test_nothing_settles_that_was_not_due_and_only_the_rest_changes_what_may_be_traded(
    difference: Decimal, dues: list[Due]
) -> None:
    found = explain(difference, dues)

    receipts, deliveries = sum(d.receipts for d in dues), sum(d.deliveries for d in dues)
    assert found.moved + found.unexplained == difference
    assert sum(part.amount for part in found.settles) == found.moved
    assert deliveries <= found.moved <= receipts
    if deliveries <= difference <= receipts:
        assert found.unexplained == 0
    else:
        assert found.moved == (receipts if difference > 0 else deliveries) or found.moved == difference
