"""Which records a hold covers, and what can be said of how long records are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from journal.domain.retention import CLASSES, HoldTerms, is_held, require_days
from kernel.errors import Invalid

FROM = datetime(2026, 3, 1, tzinfo=UTC)
TO = FROM + timedelta(days=10)
A_BIT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("terms", "at", "symbol", "held"),
    [
        (HoldTerms(FROM, TO), FROM - A_BIT, "VOD.L", False),
        (HoldTerms(FROM, TO), FROM, "VOD.L", True),
        (HoldTerms(FROM, TO), TO - A_BIT, "", True),
        (HoldTerms(FROM, TO), TO, "VOD.L", False),
        (HoldTerms(FROM, None), TO + timedelta(days=9999), "VOD.L", True),
        (HoldTerms(FROM, None, ("VOD.L",)), TO, "VOD.L", True),
        (HoldTerms(FROM, None, ("VOD.L",)), TO, "BARC.L", False),
        (HoldTerms(FROM, None, ("VOD.L",)), TO, "", True),  # a record without an instrument is kept
    ],
)
def test_what_a_hold_covers(terms: HoldTerms, at: datetime, symbol: str, held: bool) -> None:
    assert terms.covers(at, symbol) is held
    assert is_held([terms], at, symbol) is held
    assert is_held([], at, symbol) is False


@pytest.mark.parametrize(
    ("name", "days"), [("evidence", 3000), ("price_ticks", 6), ("price_ticks", 36_501), ("nothing", 30)]
)
def test_nobody_can_say_less_than_the_least(name: str, days: int) -> None:
    with pytest.raises(Invalid):
        require_days(name, days)


def test_the_least_is_enough_and_no_class_begins_below_it() -> None:
    for one in CLASSES.values():
        if one.least_days is not None and one.default_days is not None:
            require_days(one.name, one.least_days)
            assert one.default_days >= one.least_days
