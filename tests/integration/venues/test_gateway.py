"""The gateway against a scripted venue: once on the wire, nothing late, fate asked, the submitter told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import CashBalance
from journal.models import Event
from kernel.clock import utc_now
from kernel.fix import OrdType, TimeInForce
from orders.models import Order, OrderRequest
from tests.fix_venue import ScriptedVenue, acknowledging, knows_nothing, silent
from tests.gateway_house import SESSION, House, states
from venues.models import FixSession, HandOver, RouteDecision, WireIntent, WireMessage
from venues.services.set_session_enabled import set_session_enabled

pytestmark = [pytest.mark.fix, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "ours")
    yield house
    house.stop_gateway()


@pytest.fixture
def venue(house: House, tmp_path: Path) -> Iterator[ScriptedVenue]:
    venue = ScriptedVenue(tmp_path / "venue", port=house.port)
    yield venue
    venue.stop()


def logged_on() -> bool:
    return FixSession.objects.get(name=SESSION).state == FixSession.State.LOGGED_ON


def name_of(order: Order) -> str:
    return OrderRequest.objects.get(order=order, seq=1).cl_ord_id


def reserved() -> Decimal:
    return CashBalance.objects.get().reserved


def test_an_order_goes_out_once_and_its_answer_comes_back(house: House, venue: ScriptedVenue) -> None:
    house.start_gateway()
    house.until(logged_on)
    order = house.capture()
    house.until(lambda: states(order) == ["accepted"])
    order.refresh_from_db()

    sent = venue.heard_of("D")
    assert [m[11] for m in sent] == [order.cl_ord_id]
    assert {tag: sent[0][tag] for tag in (55, 207, 54, 38, 40, 44, 59)} == {
        55: "VOD.L", 207: "XLON", 54: "1", 38: "1000", 40: "2", 44: "72.5", 59: "0",
    }  # fmt: skip
    assert (order.ord_status, order.leaves_qty, order.venue_order_id) == ("0", Decimal(1000), f"V-{order.cl_ord_id}")
    assert order.session_group == "T1"
    proof = HandOver.objects.get()
    assert (proof.cl_ord_id, proof.mapping, proof.session) == (order.cl_ord_id, "fix44/1", SESSION)
    assert f"11={order.cl_ord_id}\x01" in proof.body
    assert [c["taken"] for c in RouteDecision.objects.get(order_id=order.id).candidates] == [True]
    assert WireMessage.objects.filter(cl_ord_id=order.cl_ord_id).count() == 2


def test_a_cancel_goes_before_orders_that_wait(house: House, venue: ScriptedVenue) -> None:
    house.start_gateway()
    house.until(logged_on)
    first = house.capture()
    house.until(lambda: states(first) == ["accepted"])
    house.stop_gateway()
    second = house.capture()
    house.cancel(first)
    house.pump()
    house.start_gateway()
    house.until(lambda: states(first) == ["accepted", "accepted"] and states(second) == ["accepted"])
    assert [m[35] for m in venue.heard] == ["D", "F", "D"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ord_type": OrdType.MARKET, "price": None}, "SESSION_DOWN"),
        ({"time_in_force": TimeInForce.IOC}, "SESSION_DOWN"),
        ({"time_in_force": TimeInForce.FOK}, "SESSION_DOWN"),
        ({}, "WAITED_TOO_LONG"),
    ],
)
def test_without_a_session_orders_are_refused_and_what_they_held_is_free(
    house: House, changes: dict[str, object], code: str
) -> None:
    order = house.capture(**changes)
    assert reserved() > 0
    house.pump()
    house.start_gateway()
    house.until(lambda: states(order) == ["refused"])
    order.refresh_from_db()
    assert (order.is_open, order.ord_status, reserved()) == (False, None, Decimal(0))
    assert WireIntent.objects.get().state == WireIntent.State.REFUSED
    assert HandOver.objects.count() == 0
    told = Event.objects.get(stream=f"order:{order.id}", kind="RequestNotSent")
    assert told.payload["code"] == code


def test_an_order_refused_while_down_does_not_leave_when_the_session_is_back(house: House, tmp_path: Path) -> None:
    order = house.capture(ord_type=OrdType.MARKET, price=None)
    house.pump()
    house.start_gateway()
    house.until(lambda: states(order) == ["refused"])
    venue = ScriptedVenue(tmp_path / "venue", port=house.port)
    try:
        house.until(logged_on)
        later = house.capture()
        house.until(lambda: states(later) == ["accepted"])
        assert [m[11] for m in venue.heard] == [name_of(later)]
    finally:
        house.stop_gateway()
        venue.stop()


def test_a_cancel_of_an_order_that_never_left_completes_here(house: House) -> None:
    order = house.capture()
    house.pump()
    house.cancel(order)
    house.pump()
    house.start_gateway()
    house.until(lambda: states(order) == ["withdrawn", "accepted"])
    order.refresh_from_db()
    assert (order.is_open, reserved()) == (False, Decimal(0))
    house.until(lambda: not WireIntent.objects.filter(state=WireIntent.State.WAITING).exists())
    assert states(order) == ["withdrawn", "accepted"]
    assert HandOver.objects.count() == 0


def test_silence_becomes_unknown_when_the_line_falls_and_the_venue_is_asked(house: House, tmp_path: Path) -> None:
    venue = ScriptedVenue(tmp_path / "venue", port=house.port, script=silent)
    house.start_gateway()
    house.until(logged_on)
    order = house.capture()
    house.until(lambda: len(venue.heard_of("D")) == 1)
    venue.stop()
    house.until(lambda: states(order) == ["unknown"])
    again = ScriptedVenue(tmp_path / "venue", port=house.port, script=acknowledging)
    try:
        house.until(lambda: states(order) == ["accepted"])
        assert [(m[35], m[11]) for m in again.heard] == [("H", name_of(order))]
        assert len(venue.heard_of("D")) == 1
    finally:
        house.stop_gateway()
        again.stop()


def test_a_venue_that_never_heard_of_the_order_ends_it(house: House, tmp_path: Path) -> None:
    venue = ScriptedVenue(tmp_path / "venue", port=house.port, script=silent)
    house.start_gateway()
    house.until(logged_on)
    order = house.capture()
    house.until(lambda: len(venue.heard_of("D")) == 1)
    venue.stop()
    house.until(lambda: states(order) == ["unknown"])
    assert reserved() > 0
    again = ScriptedVenue(tmp_path / "venue", port=house.port, script=knows_nothing)
    try:
        house.until(lambda: states(order) == ["rejected"])
        assert reserved() == 0
    finally:
        house.stop_gateway()
        again.stop()


def test_a_session_that_stays_down_is_told_and_cleared(house: House, tmp_path: Path) -> None:
    house.start_gateway()
    kinds = (
        Event.objects.filter(stream=f"anomaly:session-down:{SESSION}").order_by("seq").values_list("kind", flat=True)
    )
    house.until(lambda: list(kinds.all()) == ["AnomalyRaised"])
    venue = ScriptedVenue(tmp_path / "venue", port=house.port)
    try:
        house.until(lambda: list(kinds.all()) == ["AnomalyRaised", "AnomalyCleared"])
    finally:
        house.stop_gateway()
        venue.stop()


def test_new_orders_stopped_on_a_session_leave_cancels_alone(house: House, venue: ScriptedVenue) -> None:
    house.start_gateway()
    house.until(logged_on)
    order = house.capture()
    house.until(lambda: states(order) == ["accepted"])
    operator = replace(house.world.checker, rights=frozenset({"switch_session"}))
    set_session_enabled(actor=operator, at=utc_now(), name=SESSION, enabled=False, reason="test")
    held = house.capture()
    house.pump()
    house.until(lambda: OrderRequest.objects.get(order=held).state == "refused")
    house.cancel(order)
    house.until(lambda: states(order) == ["accepted", "accepted"])
    assert [m[35] for m in venue.heard] == ["D", "F"]


def test_a_second_gateway_of_the_group_waits(house: House, venue: ScriptedVenue) -> None:
    house.start_gateway()
    house.until(logged_on)
    house.start_gateway()
    order = house.capture()
    house.until(lambda: states(order) == ["accepted"])
    assert FixSession.objects.get().fence == 1
    assert len(venue.heard_of("D")) == 1
