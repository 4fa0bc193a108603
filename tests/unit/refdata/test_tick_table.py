"""Price steps at and across the edges of their bands."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refdata.domain.tick_table import Band, band_faults, is_on_tick, tick_above, tick_below, tick_for

LONDON = (
    Band(Decimal(0), Decimal("0.0001")),
    Band(Decimal(50), Decimal("0.01")),
    Band(Decimal(100), Decimal("0.02")),
    Band(Decimal(200), Decimal("0.05")),
)
US = (Band(Decimal(0), Decimal("0.0001")), Band(Decimal(1), Decimal("0.01")))


@pytest.mark.parametrize(
    ("price", "tick"),
    [("49.9999", "0.0001"), ("50", "0.01"), ("72.34", "0.01"), ("99.99", "0.01"), ("100", "0.02"), ("9999", "0.05")],
)
def test_a_band_holds_from_its_lower_bound(price: str, tick: str) -> None:
    assert tick_for(LONDON, Decimal(price)) == Decimal(tick)


@pytest.mark.parametrize(
    ("bands", "price", "holds"),
    [
        (LONDON, "72.34", True),
        (LONDON, "72.345", False),
        (LONDON, "100.01", False),
        (LONDON, "100.02", True),
        (LONDON, "0", False),
        (LONDON, "-72.34", False),
        (US, "0.9999", True),
        (US, "1.0001", False),
        (US, "1.01", True),
        ((), "1", False),
        ((Band(Decimal(5), Decimal(1)),), "4", False),
    ],
)
def test_on_tick(bands: tuple[Band, ...], price: str, holds: bool) -> None:
    assert is_on_tick(bands, Decimal(price)) is holds


def test_no_step_below_the_first_band() -> None:
    with pytest.raises(ValueError, match="no price step is defined at 4"):
        tick_for((Band(Decimal(5), Decimal(1)),), Decimal(4))


@pytest.mark.parametrize(
    ("price", "below", "above"),
    [
        ("72.345", "72.34", "72.35"),
        ("72.34", "72.34", "72.34"),
        ("99.995", "99.99", "100"),
        ("200.01", "200", "200.05"),
    ],
)
def test_neighbours(price: str, below: str, above: str) -> None:
    assert tick_below(LONDON, Decimal(price)) == Decimal(below)
    assert tick_above(LONDON, Decimal(price)) == Decimal(above)


@given(st.decimals(min_value="0.0001", max_value="100000", places=6))
def test_neighbours_are_valid_prices_that_enclose(price: Decimal) -> None:
    above = tick_above(LONDON, price)
    below = tick_below(LONDON, price)
    assert below <= price <= above
    assert is_on_tick(LONDON, above)
    assert below == 0 or is_on_tick(LONDON, below)


@pytest.mark.parametrize(
    ("bands", "faults"),
    [
        (LONDON, ()),
        ((), ("The table has no bands.",)),
        ((Band(Decimal(1), Decimal(1)),), ("The first band must start at 0.",)),
        (
            (Band(Decimal(0), Decimal(1)), Band(Decimal(0), Decimal(2))),
            ("The band from 0 does not rise above 0.",),
        ),
        ((Band(Decimal(0), Decimal(0)),), ("The tick 0 from 0 is not positive.",)),
    ],
)
def test_faults_of_a_table(bands: tuple[Band, ...], faults: tuple[str, ...]) -> None:
    assert band_faults(bands) == faults
