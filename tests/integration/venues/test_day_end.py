"""A venue that sends no expiry: day orders it does not list after the close are over by inference, and its word outweighs it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import CashBalance
from journal.models import Event
from orders.models import Order
from tests.fix_venue import ScriptedVenue, listing
from tests.gateway_house import House
from tests.integration.venues.test_recovery import at_venue, blocks, last, trade, working_order
from venues.gateway import recovering
from venues.models import Recovery

pytestmark = [pytest.mark.fix, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "ours", wait_s=60, adapter="fix44-no-expiry")
    yield house
    house.stop_gateway()


@pytest.fixture
def venue(house: House, tmp_path: Path) -> Iterator[ScriptedVenue]:
    venue = ScriptedVenue(tmp_path / "venue", port=house.port)
    yield venue
    venue.stop()


def told(kind: str) -> list[str]:
    return list(
        Event.objects.filter(payload__kind=kind, stream__startswith="anomaly:")
        .order_by("position")
        .values_list("kind", flat=True)
    )


def yesterdays_order(house: House) -> Order:
    order = working_order(house)
    Order.objects.update(trade_date=order.trade_date - timedelta(days=2))
    return order


def test_what_is_not_listed_after_its_day_has_expired_by_inference_until_the_venue_speaks(
    house: House, venue: ScriptedVenue
) -> None:
    order = yesterdays_order(house)
    house.start_gateway()
    house.until(lambda: Order.objects.get().ord_status == "C")
    order.refresh_from_db()
    assert (order.is_open, order.needs_attention, CashBalance.objects.get().reserved) == (
        False,
        "EXPIRY_INFERRED",
        Decimal(0),
    )
    assert told("EXPIRY_INFERRED") == ["AnomalyRaised"]
    report = Event.objects.filter(kind="ReportApplied").order_by("-seq")[0].payload["report"]
    assert report["inferred"] == "expired"
    house.until(lambda: last().state == "equal")
    assert (venue.heard_of("H"), blocks()) == ([], [])

    venue.say(trade(order, 400))
    house.until(lambda: Order.objects.get().cum_qty == 400)
    order.refresh_from_db()
    assert (order.ord_status, order.is_open) == ("1", True)
    assert told("EXPIRY_INFERRED") == ["AnomalyRaised", "AnomalyCleared"]


def test_what_is_listed_as_live_after_its_day_is_a_persons_matter(house: House, venue: ScriptedVenue) -> None:
    order = yesterdays_order(house)
    venue.list_open = listing([at_venue(order)])
    house.start_gateway()
    house.until(lambda: told("DAY_ORDER_NOT_OVER") == ["AnomalyRaised"])
    order.refresh_from_db()
    assert (order.ord_status, order.is_open) == ("0", True)


def test_a_day_that_ends_while_the_session_lives_is_looked_at_with_the_gate_open(
    house: House, venue: ScriptedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "LOOK_OFTEN", timedelta(seconds=1))
    house.start_gateway()
    house.until(lambda: Recovery.objects.filter(state="equal").count() == 1)
    order = house.capture()
    house.until(lambda: Order.objects.get().ord_status == "0")
    Order.objects.update(trade_date=order.trade_date - timedelta(days=2))
    house.until(lambda: Order.objects.get().ord_status == "C")
    house.until(lambda: Recovery.objects.filter(state="equal").count() == 2)
    assert Event.objects.filter(stream="session:T1-A", kind="SessionLost").count() == 0
