"""After a logon: nothing that adds risk leaves before venue and house have been compared; what differs is repaired by the
venue's own word, or told to a person with its account blocked until it agrees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid, NotPermitted
from orders.models import Order
from risk.models import Block
from tests.factories import make_principal
from tests.fix_venue import Fields, ScriptedVenue, acknowledging, listing, silent
from tests.gateway_house import SESSION, House, states
from venues.gateway import recovering
from venues.models import FixSession, Recovery, RecoveryDifference
from venues.services.open_recovery_gate import open_recovery_gate

OPERATES = ("switch_session", "open_recovery_gate")
pytestmark = [pytest.mark.fix, pytest.mark.django_db(transaction=True)]
CLEAR = "AnomalyCleared"


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


def logged_on() -> bool:
    return FixSession.objects.get(name=SESSION).state == FixSession.State.LOGGED_ON


def working_order(house: House) -> Order:
    """Accepted by the venue; the gateway is stopped after that."""
    house.start_gateway()
    house.until(logged_on)
    order = house.capture()
    house.until(lambda: states(order) == ["accepted"])
    house.stop_gateway()
    order.refresh_from_db()
    return order


def at_venue(order: Order, **changes: str) -> Fields:
    """A line of the venue's list: the order as it stands there."""
    said = {"t11": str(order.cl_ord_id), "t37": str(order.venue_order_id), "t39": "0", "t38": "1000", "t14": "0"}
    return [(int(tag[1:]), value) for tag, value in {**said, "t151": "1000", **changes}.items()]


def trade(order: Order, qty: int) -> Fields:
    return [
        (35, "8"), (37, str(order.venue_order_id)), (11, str(order.cl_ord_id)), (17, "T1"), (150, "F"), (39, "1"),
        (38, "1000"), (32, str(qty)), (31, "72.5"), (14, str(qty)), (151, str(1000 - qty)), (6, "72.5"),
        (54, "1"), (55, "VOD"), (60, "20261120-10:00:00.000"),
    ]  # fmt: skip


def last() -> Recovery:
    return Recovery.objects.order_by("-started_at")[0]


def ended() -> bool:
    """The one after ``working_order``'s own."""
    return Recovery.objects.count() > 1 and last().state in ("equal", "different")


def blocks() -> list[str]:
    return list(Block.objects.filter(lifted_at=None).exclude(source="trading_switch").values_list("source", flat=True))


def told(kind: str) -> list[str]:
    events = Event.objects.filter(kind__in=["AnomalyRaised", CLEAR], payload__kind=kind).order_by("position")
    return list(events.values_list("kind", flat=True))


def test_what_agrees_opens_the_gate_and_until_then_only_what_adds_no_risk_leaves(
    house: House, venue: ScriptedVenue
) -> None:
    order = working_order(house)
    venue.list_open = silent
    house.start_gateway()
    house.until(lambda: len(venue.asked_all) == 2)
    assert FixSession.objects.get().state == "recovering"
    another = house.capture()
    house.cancel(order)
    house.until(lambda: states(order) == ["accepted", "accepted"])
    assert states(another) == ["released"]
    for fields in listing([at_venue(order, t39="4", t151="0")])(venue.asked_all[-1]):
        venue.say(fields)
    house.until(lambda: states(another) == ["accepted"])
    row = last()
    assert (row.state, row.mass, row.expected, row.received, row.differences) == ("equal", True, 1, 1, 0)
    assert [m[35] for m in venue.heard if m[35] != "H"] == ["D", "F", "D"]
    assert blocks() == []


def test_a_missing_execution_blocks_its_account_until_it_is_reported(house: House, venue: ScriptedVenue) -> None:
    order = working_order(house)
    executed = at_venue(order, t39="1", t14="400", t151="600")
    venue.list_open = listing([executed])
    venue.script = lambda m: (
        [[(35, "8"), (17, "0"), (150, "I"), (6, "0"), *executed]] if m[35] == "H" else acknowledging(m)
    )
    house.start_gateway()
    house.until(ended)
    difference = RecoveryDifference.objects.get()
    assert (difference.kind, difference.order_id, difference.theirs["cum_qty"]) == (
        "EXECUTION_MISSING",
        order.id,
        "400",
    )
    assert (difference.ours["cum_qty"], last().state, blocks()) == ("0", "different", ["recovery:T1"])
    order.refresh_from_db()
    assert (order.cum_qty, told("EXECUTION_MISSING")) == (Decimal(0), ["AnomalyRaised"])

    venue.say(trade(order, 400))
    RecoveryDifference.objects.update(next_at=utc_now())
    house.until(lambda: RecoveryDifference.objects.get().resolved_at is not None)
    order.refresh_from_db()
    assert (order.cum_qty, blocks(), told("EXECUTION_MISSING")) == (Decimal(400), [], ["AnomalyRaised", CLEAR])


def test_an_order_the_venue_does_not_list_is_asked_for_and_its_answer_decides(
    house: House, venue: ScriptedVenue
) -> None:
    order = working_order(house)
    gone = at_venue(order, t39="4", t151="0")
    venue.script = lambda m: [[(35, "8"), (17, "0"), (150, "I"), (6, "0"), *gone]] if m[35] == "H" else []
    house.start_gateway()
    house.until(ended)
    order.refresh_from_db()
    assert (last().state, order.ord_status, order.is_open) == ("equal", "4", False)
    assert [m[11] for m in venue.heard_of("H")] == [order.cl_ord_id]
    assert RecoveryDifference.objects.count() == 0


def test_absence_is_no_cancel_and_silence_about_it_is_told(
    house: House, venue: ScriptedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "FATE_WITHIN", timedelta(seconds=1))
    order = working_order(house)
    venue.script = silent
    house.start_gateway()
    house.until(ended)
    order.refresh_from_db()
    assert (order.ord_status, order.is_open, RecoveryDifference.objects.get().kind) == ("0", True, "NO_ANSWER")
    assert (blocks(), told("NO_ANSWER")) == (["recovery:T1"], ["AnomalyRaised"])
    venue.script = acknowledging
    RecoveryDifference.objects.update(next_at=utc_now())
    house.until(lambda: blocks() == [])
    assert RecoveryDifference.objects.get().resolution == "The venue's answer and our state agree."


def test_an_order_of_the_venue_that_is_none_of_ours_is_told_and_blocks_nobody(
    house: House, venue: ScriptedVenue
) -> None:
    order = working_order(house)
    strange = at_venue(order, t11="THEIRS", t37="V-THEIRS")
    venue.list_open = listing([at_venue(order), strange])
    house.start_gateway()
    house.until(ended)
    found = RecoveryDifference.objects.get()
    assert (found.kind, found.order_id, found.venue_order_id) == ("NOT_OURS", None, "V-THEIRS")
    assert (told("ORDER_NOT_OURS"), blocks()) == (["AnomalyRaised"], [])
    house.stop_gateway()
    venue.list_open = listing([at_venue(order)])
    house.start_gateway()
    house.until(lambda: Recovery.objects.count() == 3 and last().state == "equal")
    assert told("ORDER_NOT_OURS") == ["AnomalyRaised", CLEAR]


def test_a_recovery_that_does_not_end_is_told_and_a_person_may_open_the_gate(
    house: House, venue: ScriptedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "ANSWER_WITHIN", timedelta(seconds=2))
    venue.list_open = silent
    house.start_gateway()
    house.until(lambda: told("RECOVERY_OVERDUE") == ["AnomalyRaised"])
    order = house.capture()
    house.pump()
    at, name = utc_now(), SESSION
    operator = make_principal(
        "op-1",
        role="operations",
        rights=("switch_session", "open_recovery_gate"),
        desks=(house.world.desk,),
        persona="operations",
    )
    with pytest.raises(NotPermitted):
        open_recovery_gate(actor=house.world.dealer, at=at, name=name, reason="phoned")
    with pytest.raises(Invalid):
        open_recovery_gate(actor=operator, at=at, name=name, reason=" ")
    assert (states(order), venue.heard_of("D")) == (["released"], [])
    open_recovery_gate(actor=operator, at=at, name=name, reason="phoned")
    with pytest.raises(Conflict):
        open_recovery_gate(actor=operator, at=at, name=name, reason="phoned")
    house.until(lambda: states(order) == ["accepted"])
    row = last()
    assert (row.state, row.opened_by, row.opened_reason) == ("asking", operator.actor, "phoned")
    assert Event.objects.get(kind="RecoveryGateOpened").payload["reason"] == "phoned"
    for fields in listing([at_venue(Order.objects.get())])(venue.asked_all[-1]):
        venue.say(fields)
    house.until(lambda: told("RECOVERY_OVERDUE") == ["AnomalyRaised", CLEAR])
    assert last().state == "equal"


def refusing(message: dict[int, str]) -> list[Fields]:
    """A venue that does not take what it declared to take."""
    return [[(35, "j"), (45, message[34]), (372, "AF"), (380, "3"), (58, "not supported")]]


def test_a_venue_that_refuses_the_list_is_asked_order_by_order(house: House, venue: ScriptedVenue) -> None:
    order = working_order(house)
    venue.list_open = refusing
    house.start_gateway()
    house.until(ended)
    assert (last().state, last().questions) == ("equal", 2)
    assert [m[11] for m in venue.heard_of("H")] == [order.cl_ord_id]


def test_fix_42_is_asked_order_by_order(tmp_path: Path) -> None:
    house = House(tmp_path / "ours", wait_s=60, adapter="fix42", begin_string="FIX.4.2")
    venue = ScriptedVenue(tmp_path / "venue", port=house.port, begin_string="FIX.4.2", script=answering_42)
    try:
        order = working_order(house)
        house.start_gateway()
        house.until(ended)
        assert (last().state, last().mass, venue.asked_all) == ("equal", False, [])
        assert [m[11] for m in venue.heard_of("H")] == [order.cl_ord_id]
    finally:
        house.stop_gateway()
        venue.stop()


def answering_42(message: dict[int, str]) -> list[Fields]:
    return [[*fields, (20, "3" if message[35] == "H" else "0")] for fields in _as_42(message)]


def _as_42(message: dict[int, str]) -> list[Fields]:
    return [[(tag, "0" if (tag, value) == (150, "I") else value) for tag, value in f] for f in acknowledging(message)]
