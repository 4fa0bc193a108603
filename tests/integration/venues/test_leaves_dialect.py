"""A venue that means leaves, over a real session: it hears what is still to be done, and its answer is read as the total."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from kernel.clock import utc_now
from orders.domain.terms import ReplaceTerms
from orders.models import Order
from orders.services.replace_order import replace_order
from tests.fix_venue import Fields, ScriptedVenue
from tests.gateway_house import SESSION, House, states
from venues.models import FixSession

pytestmark = [pytest.mark.fix, pytest.mark.django_db(transaction=True)]
D = Decimal


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "ours", adapter="fix44-leaves")
    yield house
    house.stop_gateway()


@pytest.fixture
def venue(house: House, tmp_path: Path) -> Iterator[ScriptedVenue]:
    venue = ScriptedVenue(tmp_path / "venue", port=house.port, script=counting_leaves)
    yield venue
    venue.stop()


def counting_leaves(message: dict[int, str]) -> list[Fields]:
    """Fills 400 of every new order at once; a replace to so many leaves is a total of 400 more."""
    name = message[11]
    report = [(35, "8"), (37, "V1"), (11, name), (55, message[55]), (54, "1"), (60, "20261120-10:00:00.000")]
    if message[35] == "D":
        left = str(int(message[38]) - 400)
        numbers = [(38, message[38]), (32, "400"), (31, "72.5"), (14, "400"), (151, left), (6, "72.5")]
        return [[*report, (17, f"T-{name}"), (150, "F"), (39, "1"), *numbers]]
    if message[35] == "G":
        numbers = [(38, str(int(message[38]) + 400)), (14, "400"), (151, message[38]), (6, "72.5")]
        return [[*report, (41, message[41]), (17, f"R-{name}"), (150, "5"), (39, "1"), *numbers]]
    return []


def test_total_and_leaves_are_translated_both_ways(house: House, venue: ScriptedVenue) -> None:
    house.start_gateway()
    house.until(lambda: FixSession.objects.get(name=SESSION).state == FixSession.State.LOGGED_ON)
    order = house.capture()
    house.until(lambda: Order.objects.get(id=order.id).cum_qty == D(400))
    replace_order(
        actor=house.world.dealer, at=utc_now(), idempotency_key="r", route="ticket", order_id=order.id,
        terms=ReplaceTerms(order_qty=D(1500)),
    )  # fmt: skip
    house.until(lambda: states(order) == ["accepted", "accepted"])
    heard = venue.heard_of("G")
    assert [(message[38], message[41], message[37]) for message in heard] == [("1100", order.cl_ord_id, "V1")]
    order.refresh_from_db()
    assert (order.order_qty, order.leaves_qty, order.cum_qty) == (D(1500), D(1100), D(400))
