"""Units of feeds: converted by declaration, or refused."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from refdata.domain.ticks import FeedTick, Tick, TickRefusal, normalise

D = Decimal
AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
VOD = UUID(int=1)


@pytest.mark.parametrize(
    ("feed", "listing", "currency", "given", "told"),
    [
        ("GBX", "GBX", "GBP", "72.34", "72.34"),
        ("GBP", "GBX", "GBP", "0.7234", "72.34"),
        ("GBX", "GBP", "GBP", "72.34", "0.7234"),
        ("USD", "USD", "USD", "500.01", "500.01"),
    ],
)
def test_a_declared_unit_is_converted(feed: str, listing: str, currency: str, given: str, told: str) -> None:
    tick = FeedTick("VOD.L", feed, AT, last=D(given), bid=D(given), bid_size=D(7), previous_close=D(given))
    assert normalise(tick, listing_id=VOD, price_unit=listing, currency=currency) == Tick(
        VOD, AT, last=D(told), bid=D(told), bid_size=D(7), previous_close=D(told)
    )


@pytest.mark.parametrize(
    ("unit", "refusal"),
    [("", TickRefusal.UNIT_MISSING), ("EUR", TickRefusal.UNIT_MISMATCH), ("pence", TickRefusal.UNIT_MISMATCH)],
)
def test_no_unit_is_guessed(unit: str, refusal: TickRefusal) -> None:
    given = FeedTick("VOD.L", unit, AT, last=D(72))
    assert normalise(given, listing_id=VOD, price_unit="GBX", currency="GBP") is refusal
