"""Presses beside each other and beside orders that leave: over a real FIX session no new order of the scope is on the wire
after the press has committed, and a gateway that is frozen with a batch in hand does not hold up the press for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from django.db import connection, transaction

from accounts.models import CashBalance
from authorisation.domain.principal import Principal, process_principal
from journal.models import Event
from journal.services.run_listener import run_listener
from kernel.clock import utc_now
from kernel.ids import new_id
from orders.domain.stopping import Proof
from orders.models import Order, OrderRequest
from orders.selectors.stopping import ProofCounts, list_proof_counts
from orders.services import on_kill_switch
from orders.services.cancel_stopped import cancel_stopped
from orders.services.capture_order import capture_order
from refdata.models import ReferencePrice
from risk.locks import close_wire, open_wire
from risk.models import Block
from risk.services.engage_kill_switch import PressResult, engage_kill_switch
from tests.concurrency.threads import together
from tests.factories import terms
from tests.fix_venue import ScriptedVenue, acknowledging
from tests.gateway_house import SESSION, House
from venues.models import FixSession

pytestmark = [pytest.mark.timeout(120), pytest.mark.django_db(transaction=True)]
PROCESS = process_principal("test")


def press(actor: Principal = PROCESS, scope: str = "firm", scope_id: str = "") -> PressResult:
    return engage_kill_switch(actor=actor, at=utc_now(), scopes=[(scope, scope_id)], reason="Runaway orders")


def test_two_presses_at_once_are_one_stop() -> None:
    results = together([press] * 4)
    assert len({one.stops[0].stop_id for one in results}) == 1
    assert [one.stops[0].changed for one in results].count(True) == 1
    assert Block.objects.filter(source="kill_switch").count() == 1
    assert Event.objects.filter(kind="KillSwitchEngaged").count() == 1


def test_presses_of_crossing_scopes_neither_wait_for_ever_nor_get_lost() -> None:
    one, two = [("strategy", "A"), ("strategy", "B")], [("strategy", "B"), ("strategy", "A")]
    engage = partial(engage_kill_switch, actor=PROCESS, at=utc_now(), reason="x")
    results = together([partial(engage, scopes=scopes) for scopes in (one, two, one, two)])
    assert all(isinstance(result, PressResult) for result in results), results
    assert Block.objects.filter(source="kill_switch").count() == 2


def test_the_wire_is_open_to_batches_or_closed_by_a_press_never_both() -> None:
    begun, end = threading.Event(), threading.Event()

    def batch() -> None:
        with open_wire() as may:
            assert may
            begun.set()
            end.wait(10)
        connection.close()

    thread = threading.Thread(target=batch)
    thread.start()
    begun.wait(5)
    with transaction.atomic():
        assert close_wire(wait_ms=100) is False  # a frozen gateway: given up, and said
    with open_wire() as may:
        assert may  # a press that gave up and is over closes nothing
    waits = threading.Timer(0.3, end.set)
    waits.start()
    started = time.monotonic()
    with transaction.atomic():
        assert close_wire(wait_ms=5000) is True
        assert 0.2 < time.monotonic() - started < 4
        assert together([_may_send]) == [False]
    thread.join(5)
    assert together([_may_send]) == [True]


def _may_send() -> bool:
    with open_wire() as may:
        return may


def test_a_press_that_could_not_wait_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("risk.services.engage_kill_switch.WIRE_WAIT_MS", 50)
    begun, end = threading.Event(), threading.Event()

    def batch() -> None:
        with open_wire():
            begun.set()
            end.wait(10)
        connection.close()

    thread = threading.Thread(target=batch)
    thread.start()
    begun.wait(5)
    try:
        result = press()
    finally:
        end.set()
        thread.join(5)
    assert (result.drained, Block.objects.filter(source="kill_switch").count()) == (False, 1)
    assert Event.objects.get(kind="KillSwitchEngaged").payload["drained"] is False


# Over a real session


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "ours")
    house.start_gateway()
    yield house
    house.stop_gateway()


@pytest.fixture
def venue(house: House, tmp_path: Path) -> Iterator[ScriptedVenue]:
    venue = ScriptedVenue(tmp_path / "venue", port=house.port, script=acknowledging)
    house.until(lambda: FixSession.objects.get(name=SESSION).state == "logged_on", what="the logon")
    yield venue
    venue.stop()


def sweep(house: House) -> None:
    """What the relay does of a stop, beside what it does otherwise."""
    kinds = ("KillSwitchEngaged", "KillSwitchReleased")
    run_listener(name="orders.kill_switch", kinds=kinds, handle=on_kill_switch.handle, at=utc_now())
    cancel_stopped(at=utc_now())
    house.pump()


def proof(result: PressResult) -> ProofCounts | None:
    stop_id = result.stops[0].stop_id
    return list_proof_counts(sweep_ids=[stop_id]).get(stop_id)


@pytest.mark.fix
def test_no_new_order_is_on_the_wire_after_the_press_while_orders_keep_coming(
    house: House, venue: ScriptedVenue
) -> None:
    last = threading.Event()
    failures: list[BaseException] = []

    def enter() -> None:
        try:
            # Paced: on a crowded machine more would come than the line carries while they may be sent.
            while not last.wait(0.01):
                capture_order(
                    actor=house.world.dealer, at=utc_now(), idempotency_key=str(new_id()), route="test", source="ticket",
                    terms=terms(house.world, order_qty=Decimal(10)),
                )  # fmt: skip
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    ReferencePrice.objects.update(priced_at=utc_now())
    thread = threading.Thread(target=enter)
    thread.start()
    house.until(lambda: len(venue.heard_of("D")) >= 5, what="some orders at the venue")
    result = press()
    heard = len(venue.heard_of("D"))
    for _ in range(5):
        house.pump()  # what was captured in the same instant is routed, and would be sent
        time.sleep(0.05)
    last.set()
    thread.join(20)
    assert failures == []
    at_once = len(venue.heard_of("D"))

    def over() -> bool:
        sweep(house)
        found = proof(result)
        return found is not None and found.reached > 0 and found.unproven == 0

    house.until(over, what="every order proven over")
    after = Event.objects.get(kind="KillSwitchEngaged").position
    handed = Event.objects.filter(kind="RequestHandedOver", payload__kind="new", position__gt=after)
    assert handed.count() == 0
    assert len(venue.heard_of("D")) == at_once >= heard
    assert not Order.objects.filter(is_open=True).exists()
    found = proof(result)
    assert found is not None
    assert found.of(Proof.CANCELED) == len(venue.heard_of("F")) == len(venue.heard_of("D"))
    # Every other order ended in the house: at capture, at the boundary or in the sweep.
    assert Order.objects.filter(requests__state="refused").count() == Order.objects.count() - len(venue.heard_of("D"))
    assert CashBalance.objects.get().reserved == 0


@pytest.mark.fix
def test_a_stop_outlives_the_session_and_its_cancels_wait_for_it(house: House, venue: ScriptedVenue) -> None:
    order = house.capture()
    house.until(lambda: Order.objects.get(id=order.id).ord_status == "0", what="the acceptance")
    venue.stop()
    house.until(lambda: FixSession.objects.get(name=SESSION).state != "logged_on", what="the loss of the session")
    result = press()
    started = time.monotonic()
    while time.monotonic() - started < 3:  # longer than other messages wait for the session
        sweep(house)
        time.sleep(0.1)
    found = proof(result)
    assert found is not None
    assert (found.of(Proof.TO_SEND), found.unproven) == (1, 1)
    assert OrderRequest.objects.filter(kind="cancel").count() == 1
    with pytest.raises(AssertionError):
        house.capture()
