"""What the demo flow asks for is always a valid order: on tick, whole lots, within what is there."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from uuid import UUID

import pytest

from kernel.fix import OrdType, Side, TimeInForce
from oms_project.seed.flow_terms import LARGE, SMALL, STYLES, amended_terms, lots, new_terms, on_tick, shifted
from refdata.domain.listing_facts import ListingFacts, PriceFacts
from refdata.domain.sessions import Phase
from refdata.domain.tick_table import Band, is_on_tick

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
TICKS = (Band(Decimal(0), Decimal("0.01")), Band(Decimal(100), Decimal("0.05")))


def listing(last: str | None = "99.98", lot_size: str = "10") -> ListingFacts:
    return ListingFacts(
        listing_id=UUID(int=1),
        instrument_id=UUID(int=2),
        isin="GB00BH4HKS39",
        name="Vodafone Group",
        asset_class="equity",
        instrument_active=True,
        symbol="VOD.L",
        mic="XLON",
        market_name="London",
        venue_symbol="VOD",
        currency="GBP",
        price_unit="GBX",
        price_divisor=100,
        lot_size=Decimal(lot_size),
        tick_table="T",
        ticks=TICKS,
        state="trading",
        average_daily_volume=None,
        version=1,
        ord_types=frozenset("1234"),
        times_in_force=frozenset("0123467"),
        always_open=True,
        phase=Phase.CONTINUOUS,
        business_date=date(2026, 11, 20),
        session_open_at=None,
        session_close_at=None,
        price=PriceFacts(Decimal(last), None, None, None, "test", AT) if last else None,
        at=AT,
    )


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_thousand_orders_are_all_valid(side: Side) -> None:
    random, facts = Random(7), listing()
    seen: Counter[tuple[OrdType, TimeInForce]] = Counter()
    for _ in range(1000):
        terms = new_terms(
            random, account="AC4471", listing=facts, side=side, available=Decimal(10_000_000), allow_large=False
        )
        assert terms is not None
        seen[terms.ord_type, terms.time_in_force] += 1
        assert terms.order_qty > 0
        assert terms.order_qty % 10 == 0
        assert terms.order_qty * Decimal("99.98") / 100 <= SMALL[1]
        assert (terms.price is not None) == (terms.ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT))
        assert (terms.stop_px is not None) == (terms.ord_type in (OrdType.STOP, OrdType.STOP_LIMIT))
        for price in (terms.price, terms.stop_px):
            assert price is None or is_on_tick(TICKS, price)
        if terms.stop_px is not None:
            assert (terms.stop_px > Decimal("99.98")) == (side is Side.BUY)
        if terms.max_floor is not None:
            assert 0 < terms.max_floor < terms.order_qty
    assert set(seen) == {(style.ord_type, style.time_in_force) for style in STYLES}


def test_large_orders_only_when_allowed() -> None:
    values = []
    for allowed in (True, False):
        random = Random(3)
        orders = [
            new_terms(
                random,
                account="A",
                listing=listing(),
                side=Side.BUY,
                available=Decimal(10_000_000),
                allow_large=allowed,
            )
            for _ in range(500)
        ]
        values.append([order.order_qty * Decimal("0.9998") for order in orders if order])
    assert any(value > SMALL[1] for value in values[0])
    assert max(values[0]) <= LARGE[1]
    assert max(values[1]) <= SMALL[1]


def test_never_more_than_is_there() -> None:
    random = Random(1)
    for _ in range(200):
        sale = new_terms(
            random, account="A", listing=listing(), side=Side.SELL, available=Decimal(125), allow_large=True
        )
        assert sale is not None
        assert sale.order_qty == 120
        buy = new_terms(random, account="A", listing=listing(), side=Side.BUY, available=Decimal(100), allow_large=True)
        assert buy is not None
        assert buy.order_qty == 90


def test_no_order_without_a_price_or_a_lot() -> None:
    random = Random(1)
    asked = {"account": "A", "side": Side.BUY, "allow_large": False}
    assert new_terms(random, listing=listing(None), available=Decimal(1000), **asked) is None  # type: ignore[arg-type]
    assert new_terms(random, listing=listing(), available=Decimal(1), **asked) is None  # type: ignore[arg-type]


def test_amends_stay_on_tick_and_never_ask_for_more() -> None:
    random = Random(2)
    shrunk = 0
    for _ in range(300):
        terms = amended_terms(
            random,
            side=Side.SELL,
            ticks=TICKS,
            lot_size=Decimal(10),
            order_qty=Decimal(1000),
            price=Decimal("100.05"),
        )
        assert terms.price is not None
        assert is_on_tick(TICKS, terms.price)
        assert terms.price != Decimal("100.05")
        assert terms.order_qty in (None, Decimal(800))
        shrunk += terms.order_qty is not None
    assert shrunk == 89


def test_small_pieces() -> None:
    assert shifted(Decimal(100), 50, towards_buy=True) == Decimal("100.5")
    assert shifted(Decimal(100), 50, towards_buy=False) == Decimal("99.5")
    assert on_tick(TICKS, Decimal("100.01"), up=False) == 100
    assert on_tick(TICKS, Decimal("100.01"), up=True) == Decimal("100.05")
    assert on_tick(TICKS, Decimal("0.001"), up=False) == Decimal("0.01")
    assert lots(Decimal(129), Decimal(10)) == 120
