"""kill -9 of gateway and inbox at every step between store, commit, send and mark. After the restart: nothing was sent
twice, nothing is lost, every fill is counted once, and what cannot be known is asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection

from orders.models import Execution, Order, OrderRequest
from tests.fix_venue import Filling, ScriptedVenue, wait_until
from tests.gateway_house import SESSION, House, states
from venues.models import FixSession, HandOver

pytestmark = [pytest.mark.fix, pytest.mark.timeout(240), pytest.mark.django_db(transaction=True)]

GATEWAY = "from venues.gateway import run; run(stop, group='T1', store=pathlib.Path(sys.argv[1]))"
INBOX = "from venues.inbox import run; run(stop)"
SCRIPT = """
import os, pathlib, signal, sys, threading
import django
django.setup()
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
{body}
"""


class Process:
    """A role in a process of its own on the test database; ``crash_at`` names where it kills itself."""

    def __init__(self, body: str, store: Path, *, crash_at: str = "") -> None:
        settings = connection.settings_dict
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "oms_project.settings",
            "OMS_DATABASE_URL": f"postgresql://{settings['USER']}@/{settings['NAME']}?host={settings['HOST']}",
        }
        if crash_at:
            environment["OMS_CRASH_POINT"] = crash_at
        self._process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT.format(body=body), str(store)], env=environment, stderr=subprocess.DEVNULL
        )

    @property
    def killed(self) -> bool:
        return self._process.poll() == -signal.SIGKILL

    def stop(self) -> None:
        """Ask it to end; harmless when it has."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=20)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "ours", wait_s=60)


@pytest.fixture
def venue(house: House, tmp_path: Path) -> Iterator[ScriptedVenue]:
    venue = ScriptedVenue(tmp_path / "venue", port=house.port, script=Filling())
    yield venue
    venue.stop()


def at_the_order(point: str) -> str:
    """The first report is the answer to the question for all open orders; the order's own is the next."""
    return f"{point}:2" if "report_stored" in point or point.startswith("inbox") else point


def logged_on() -> bool:
    return FixSession.objects.get(name=SESSION).state == FixSession.State.LOGGED_ON


def run_until_killed(house: House, point: str) -> Order:
    """An order is captured while a gateway lives that dies at ``point``."""
    gateway = Process(GATEWAY, house.store, crash_at=at_the_order(point))
    try:
        house.until(logged_on, seconds=60)
        order = house.capture()
        house.until(lambda: gateway.killed, seconds=60, what=f"the kill at {point}")
    finally:
        gateway.stop()
    return order


@pytest.mark.parametrize("point", ["between_sends", "after_send", "before_report_stored", "after_report_stored"])
def test_a_sent_order_is_sent_once_and_its_fill_counted_once(house: House, venue: ScriptedVenue, point: str) -> None:
    order = run_until_killed(house, point)
    again = Process(GATEWAY, house.store)
    try:
        house.until(lambda: Order.objects.get(id=order.id).ord_status == "2", seconds=60, what="the fill")
        house.until(lambda: states(order) == ["accepted"])
    finally:
        again.stop()
    house.pump()
    order.refresh_from_db()
    assert (order.cum_qty, order.leaves_qty, order.avg_px) == (Decimal(1000), Decimal(0), Decimal("72.5"))
    assert Execution.objects.get().effective_qty == Decimal(1000)
    assert [m[11] for m in venue.heard_of("D")] == [OrderRequest.objects.get().cl_ord_id]
    assert HandOver.objects.count() == 1


def test_an_order_handed_over_and_not_sent_is_never_sent_but_asked_for(house: House, venue: ScriptedVenue) -> None:
    order = run_until_killed(house, "after_hand_over")
    assert states(order) == ["handed_over"]
    assert venue.heard_of("D") == []
    again = Process(GATEWAY, house.store)
    try:
        house.until(lambda: states(order) == ["rejected"], seconds=60, what="the answer that it is not known")
    finally:
        again.stop()
    assert venue.heard_of("D") == []
    assert venue.heard_of("H")[0][11] == OrderRequest.objects.get().cl_ord_id
    assert HandOver.objects.count() == 1


def test_an_order_whose_hand_over_was_not_committed_is_sent_by_the_next_gateway(
    house: House, venue: ScriptedVenue
) -> None:
    order = run_until_killed(house, "before_hand_over")
    assert (states(order), HandOver.objects.count()) == (["released"], 0)
    assert venue.heard_of("D") == []
    again = Process(GATEWAY, house.store)
    try:
        house.until(lambda: Order.objects.get(id=order.id).ord_status == "2", seconds=60, what="the fill")
    finally:
        again.stop()
    assert [m[11] for m in venue.heard_of("D")] == [OrderRequest.objects.get().cl_ord_id]
    assert (Execution.objects.count(), HandOver.objects.count()) == (1, 1)


def test_without_its_file_a_new_gateway_loses_and_repeats_nothing(
    house: House, venue: ScriptedVenue, tmp_path: Path
) -> None:
    order = run_until_killed(house, "before_report_stored")
    again = Process(GATEWAY, tmp_path / "another machine")
    try:
        house.until(lambda: Order.objects.get(id=order.id).ord_status == "2", seconds=60, what="the fill")
        later = house.capture()
        house.until(lambda: Order.objects.get(id=later.id).ord_status == "2", seconds=60, what="the later fill")
    finally:
        again.stop()
    assert len(venue.heard_of("D")) == 2
    assert Execution.objects.count() == 2


@pytest.mark.parametrize("point", ["before_report_stored", "after_report_stored"])
def test_a_gateway_killed_while_it_recovers_is_followed_by_one_that_does(
    house: House, venue: ScriptedVenue, point: str
) -> None:
    first = Process(GATEWAY, house.store, crash_at=point)
    try:
        house.until(lambda: first.killed, seconds=60, what=f"the kill at {point}")
    finally:
        first.stop()
    assert not logged_on()
    again = Process(GATEWAY, house.store)
    try:
        house.until(logged_on, seconds=60, what="the recovery")
        order = house.capture()
        house.until(lambda: Order.objects.get(id=order.id).ord_status == "2", seconds=60, what="the fill")
    finally:
        again.stop()
    assert len(venue.heard_of("D")) == 1


@pytest.mark.parametrize("point", ["inbox_before_commit", "inbox_after_commit"])
def test_the_inbox_counts_a_fill_once_wherever_it_dies(house: House, venue: ScriptedVenue, point: str) -> None:
    inbox = Process(INBOX, house.store, crash_at=at_the_order(point))
    gateway = Process(GATEWAY, house.store)
    try:
        wait_until(logged_on, seconds=60)
        order = house.capture()
        house.route()
        wait_until(lambda: inbox.killed, seconds=60, what=f"the kill at {point}")
        house.until(lambda: Order.objects.get(id=order.id).ord_status == "2", seconds=60, what="the fill")
    finally:
        inbox.stop()
        gateway.stop()
    order.refresh_from_db()
    assert (order.cum_qty, states(order)) == (Decimal(1000), ["accepted"])
    assert Execution.objects.get().effective_qty == Decimal(1000)
