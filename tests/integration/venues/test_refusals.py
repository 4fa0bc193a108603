"""What refusals of a venue do: the order hears it, a person is told, the session backs off or stops, by the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from journal.models import Event
from kernel.clock import utc_now
from orders.models import OrderRequest
from tests.fix_venue import Fields, ScriptedVenue, acknowledging
from tests.gateway_house import SESSION, House, states
from venues.models import FixSession, WireMessage

pytestmark = [pytest.mark.fix, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "ours", wait_s=60)
    yield house
    house.stop_gateway()


@pytest.fixture
def venue(house: House, tmp_path: Path) -> Iterator[ScriptedVenue]:
    venue = ScriptedVenue(tmp_path / "venue", port=house.port)
    yield venue
    venue.stop()


def started(house: House) -> None:
    house.start_gateway()
    house.until(lambda: FixSession.objects.get(name=SESSION).state == "logged_on")


def refusing(reason: str, text: str) -> object:
    def script(message: dict[int, str]) -> list[Fields]:
        if message[35] != "D":
            return acknowledging(message)
        return [[(35, "j"), (45, message[34]), (372, "D"), (380, reason), (58, text)]]

    return script


def told() -> list[tuple[str, str]]:
    events = Event.objects.filter(kind="AnomalyRaised", payload__kind="VENUE_REFUSAL").order_by("position")
    return [(e.payload["evidence"]["class"], e.payload["subject_type"]) for e in events]


def test_too_many_messages_hold_new_orders_back_and_cancels_still_go(house: House, venue: ScriptedVenue) -> None:
    started(house)
    resting = house.capture()
    house.until(lambda: states(resting) == ["accepted"])
    venue.script = refusing("8", "10 a second")  # type: ignore[assignment]
    refused = house.capture()
    house.until(lambda: states(refused) == ["rejected"])
    venue.script = acknowledging
    waiting = house.capture()
    house.cancel(resting)
    house.until(lambda: states(resting) == ["accepted", "accepted"])
    house.until(lambda: states(waiting) == ["accepted"])
    complaint = WireMessage.objects.get(msg_type="j").recorded_at
    left = WireMessage.objects.get(
        msg_type="D", direction="out", cl_ord_id=OrderRequest.objects.get(order=waiting).cl_ord_id
    )
    assert 1.0 <= (left.recorded_at - complaint).total_seconds() < 8
    assert [m[35] for m in venue.heard] == ["D", "D", "F", "D"]
    held = Event.objects.get(kind="SessionHeldBack")
    assert held.payload["reason"] == "10 a second"
    assert FixSession.objects.get().held_until is not None
    assert told() == [("throttled", "order")]


def test_what_the_venue_does_not_allow_stops_new_orders_on_the_session(house: House, venue: ScriptedVenue) -> None:
    started(house)
    resting = house.capture()
    house.until(lambda: states(resting) == ["accepted"])
    venue.script = refusing("6", "no entitlement")  # type: ignore[assignment]
    refused = house.capture()
    house.until(lambda: states(refused) == ["rejected"])
    assert not FixSession.objects.get().enabled
    stopped = Event.objects.get(kind="SessionDisabled")
    assert (stopped.actor, "NotAuthorized: no entitlement" in stopped.payload["reason"]) == ("process:inbox", True)
    assert told() == [("our defect", "order")]
    later = house.capture()
    house.until(lambda: states(later) == ["refused"])
    house.cancel(resting)
    house.until(lambda: states(resting) == ["accepted", "accepted"])


def test_a_refusal_that_doubts_the_order_is_followed_by_a_question(house: House, venue: ScriptedVenue) -> None:
    started(house)
    order = house.capture()
    house.until(lambda: states(order) == ["accepted"])
    too_late = [(35, "9"), (37, f"V-{order.cl_ord_id}"), (39, "2"), (102, "0"), (434, "1"), (58, "Too late")]

    def script(message: dict[int, str]) -> list[Fields]:
        if message[35] == "F":
            return [[*too_late, (11, message[11]), (41, message[41])]]
        return acknowledging(message)

    venue.script = script
    at = utc_now()
    house.cancel(order)
    house.until(lambda: states(order) == ["accepted", "rejected"])
    house.until(
        lambda: [m[11] for m in venue.heard_of("H")] == [OrderRequest.objects.get(order=order, seq=1).cl_ord_id]
    )
    assert told() == []
    assert Event.objects.filter(kind="AnomalyRaised", recorded_at__gte=at).count() == 0
