"""Prices go forward in time only, and a bad one changes nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kernel.ids import new_id
from refdata.domain.import_rows import ImportCode
from refdata.models import Listing, ReferencePrice
from refdata.services.set_reference_prices import PricesSet, PriceUpdate, set_reference_prices
from tests.integration.refdata.conftest import ACTOR, AT

pytestmark = pytest.mark.usefixtures("listings")
LATER = AT + timedelta(seconds=5)


def update(symbol: str = "VOD.L", **changes: Any) -> PriceUpdate:
    values: dict[str, Any] = {
        "listing_id": Listing.objects.get(symbol=symbol).id,
        "last": Decimal("72.40"),
        "bid": Decimal("72.39"),
        "ask": Decimal("72.41"),
        "priced_at": LATER,
    }
    return PriceUpdate(**{**values, **changes})


def test_many_prices_are_few_statements() -> None:
    prices = [update(), update("MSFT", last=Decimal(500), bid=None, ask=None)]
    with CaptureQueriesContext(connection) as queries:
        result = set_reference_prices(actor=ACTOR, at=LATER, source="feed", prices=prices)
    assert (len(queries), result) == (5, PricesSet(2, ()))
    held = ReferencePrice.objects.get(listing__symbol="VOD.L")
    assert (held.last, held.bid, held.ask, held.source, held.priced_at) == (
        Decimal("72.40"),
        Decimal("72.39"),
        Decimal("72.41"),
        "feed",
        LATER,
    )
    assert held.previous_close == Decimal("72.34")
    assert ReferencePrice.objects.get(listing__symbol="MSFT").bid is None


def test_an_older_price_never_replaces_a_newer_one() -> None:
    set_reference_prices(actor=ACTOR, at=LATER, source="feed", prices=[update()])
    older = update(last=Decimal(1), bid=None, ask=None, priced_at=AT)
    assert set_reference_prices(actor=ACTOR, at=LATER, source="feed", prices=[older]) == PricesSet(0, ())
    assert ReferencePrice.objects.get(listing__symbol="VOD.L").last == Decimal("72.40")


def test_of_several_in_one_batch_the_latest_wins() -> None:
    prices = [update(last=Decimal(75), bid=None, ask=None), update(priced_at=AT)]
    assert set_reference_prices(actor=ACTOR, at=LATER, source="feed", prices=prices) == PricesSet(1, ())
    assert ReferencePrice.objects.get(listing__symbol="VOD.L").last == Decimal(75)


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"last": Decimal(0)}, "last", ImportCode.NUMBER_INVALID),
        ({"last": Decimal(-1)}, "last", ImportCode.NUMBER_INVALID),
        ({"last": Decimal("NaN")}, "last", ImportCode.NUMBER_INVALID),
        ({"ask": Decimal("Infinity")}, "ask", ImportCode.NUMBER_INVALID),
        ({"bid": Decimal(73)}, "bid", ImportCode.PRICE_CROSSED),
        ({"priced_at": LATER + timedelta(seconds=1)}, "priced_at", ImportCode.PRICE_FROM_FUTURE),
    ],
)
def test_a_bad_price_is_refused_and_nothing_changes(changes: dict[str, Any], column: str, code: ImportCode) -> None:
    before = list(ReferencePrice.objects.order_by("listing_id").values())
    result = set_reference_prices(actor=ACTOR, at=LATER, source="feed", prices=[update(**changes)])
    assert (result.written, [(issue.row, issue.column, issue.code) for issue in result.issues]) == (
        0,
        [(1, column, code)],
    )
    assert list(ReferencePrice.objects.order_by("listing_id").values()) == before


def test_unknown_listings_are_skipped() -> None:
    result = set_reference_prices(actor=ACTOR, at=LATER, source="feed", prices=[update(listing_id=new_id()), update()])
    assert result == PricesSet(1, ())
    assert ReferencePrice.objects.count() == 135


def test_a_file_with_a_price_far_from_the_one_held_is_doubted_not_believed() -> None:
    done = set_reference_prices(
        actor=ACTOR, at=LATER, source="file", prices=[update(last=Decimal("0.7234"), bid=None, ask=None)]
    )
    assert (done.written, done.doubted) == (1, ("VOD.L",))
    held = ReferencePrice.objects.get(listing__symbol="VOD.L")
    assert (held.last, held.quality, held.doubted_last) == (Decimal("72.34"), "suspect", Decimal("0.7234"))
