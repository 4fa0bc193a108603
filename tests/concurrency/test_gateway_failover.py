"""Two gateways of one group before the simulator: the holder is killed, or frozen and woken. By the venue's own truth no
ClOrdID reached it twice, nothing is lost, and who was frozen sends nothing when it wakes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection

from orders.models import Order, OrderRequest
from tests.gateway_house import SESSION, House, states
from tests.integration.venues_simulator.venue import listing
from venues.models import FixSession, HandOver
from venues.simulator.acceptor import VenueSession
from venues.simulator.listing import MarketSpec
from venues.simulator.server import Setup, Simulator, VenueSetup
from venues.simulator.truth import read_truth

pytestmark = [pytest.mark.fix, pytest.mark.timeout(240), pytest.mark.django_db(transaction=True)]

SCRIPT = """
import os, pathlib, signal, sys, threading
import django
django.setup()
import venues.gateway, venues.gateway.sending as sending
venues.gateway.LEASE_S = 3.0
freeze_at = sys.argv[2]
def crash_point(name):
    if name == freeze_at:
        os.kill(os.getpid(), signal.SIGSTOP)
sending.crash_point = crash_point
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
venues.gateway.run(stop, group="T1", store=pathlib.Path(sys.argv[1]))
"""


class Gateway:
    """A gateway process on the test database, on a machine of its own (its own store)."""

    def __init__(self, store: Path, *, freeze_at: str = "") -> None:
        settings = connection.settings_dict
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "oms_project.settings",
            "OMS_DATABASE_URL": f"postgresql://{settings['USER']}@/{settings['NAME']}?host={settings['HOST']}",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(store), freeze_at], env=environment, stderr=subprocess.DEVNULL
        )

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def frozen(self) -> bool:
        status = Path(f"/proc/{self._process.pid}/stat").read_text()
        return status.rpartition(")")[2].split()[0] == "T"

    def end(self) -> None:
        self._process.kill()
        self._process.wait(10)


class Scene:
    """Simulator, house, and the gateways started so far."""

    def __init__(self, root: Path) -> None:
        self.root = root
        venue = VenueSetup(
            "SIM1",
            VenueSession("SIM1-A", "VENUE", "OMS", 0),
            (listing("VOD.L", "XLON", "VOD", "GB00BH4HKS39", 72),),
            (MarketSpec("XLON", "UTC", True),),
        )
        self.simulator = Simulator(Setup((venue,), root / "venue", house=False))
        self.simulator.start()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.simulator.serve, args=(self._stop,), daemon=True)
        self._thread.start()
        self.house = House(root / "ours", wait_s=120)
        FixSession.objects.filter(name=SESSION).update(port=self.simulator.ports["SIM1-A"], heartbeat_s=2)
        self.gateways: list[Gateway] = []

    def gateway(self, *, freeze_at: str = "") -> Gateway:
        made = Gateway(self.root / f"machine-{len(self.gateways)}", freeze_at=freeze_at)
        self.gateways.append(made)
        return made

    def holder(self, fence: int) -> None:
        """Wait until the gateway with this fence serves, its recovery ended."""
        self.house.until(
            lambda: FixSession.objects.filter(fence=fence, state="logged_on").exists(),
            seconds=90,
            what=f"fence {fence}",
        )

    def capture(self, count: int) -> list[Order]:
        return [self.house.capture(order_qty=Decimal(10), price=Decimal("71.00")) for _ in range(count)]

    def settled(self, orders: list[Order]) -> None:
        ids = [order.id for order in orders]
        ends = ("accepted", "rejected")
        self.house.until(
            lambda: OrderRequest.objects.filter(order_id__in=ids).exclude(state__in=ends).count() == 0,
            seconds=90,
            what="an answer to every request",
        )

    def reached(self) -> Counter[str]:
        """How often each ClOrdID was taken or refused as a new order, by the venue's own word."""
        lines = [line["report"] for line in read_truth(self.root / "venue" / "SIM1" / "truth.jsonl") if line["report"]]
        return Counter(r["cl_ord_id"] for r in lines if r["msg_type"] == "8" and r["exec_type"] in ("0", "8"))

    def close(self) -> None:
        for gateway in self.gateways:
            gateway.end()
        self._stop.set()
        self._thread.join(10)
        self.simulator.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def names(orders: list[Order]) -> dict[str, str]:
    """Request state by ClOrdID."""
    return dict(OrderRequest.objects.filter(order__in=orders).values_list("cl_ord_id", "state"))


def agrees(scene: Scene, orders: list[Order]) -> None:
    """What the venue has is what we hold as accepted, each once."""
    accepted = {name for name, state in names(orders).items() if state == "accepted"}
    assert scene.reached() == Counter(accepted)


def test_a_killed_holder_is_followed_by_the_other_and_traffic_goes_on(scene: Scene) -> None:
    first = scene.gateway()
    scene.holder(1)
    scene.gateway()
    orders = scene.capture(5)
    scene.house.route()
    first.signal(signal.SIGKILL)
    orders += scene.capture(5)
    scene.holder(2)
    orders += scene.capture(3)
    scene.settled(orders)
    agrees(scene, orders)
    assert set(states(orders[-1])) == {"accepted"}
    assert HandOver.objects.count() == len(set(HandOver.objects.values_list("cl_ord_id", flat=True))) == len(orders)


def test_a_frozen_holder_is_cut_off_and_sends_nothing_when_it_wakes(scene: Scene) -> None:
    first = scene.gateway()
    scene.holder(1)
    scene.gateway()
    before = scene.capture(2)
    scene.settled(before)
    first.signal(signal.SIGSTOP)
    during = scene.capture(3)
    scene.holder(2)
    scene.settled(during)
    first.signal(signal.SIGCONT)
    after = scene.capture(3)
    scene.settled(after)
    agrees(scene, before + during + after)
    fences = dict(HandOver.objects.values_list("cl_ord_id", "fence"))
    assert {fences[name] for name in names(during + after)} == {2}
    assert FixSession.objects.get().fence == 2


def test_what_was_handed_over_before_a_freeze_does_not_leave_after_it(scene: Scene) -> None:
    first = scene.gateway(freeze_at="after_hand_over")
    scene.holder(1)
    scene.gateway()
    (order,) = scene.capture(1)
    scene.house.until(first.frozen, what="the freeze between hand-over and wire")
    assert HandOver.objects.get().fence == 1
    scene.holder(2)
    first.signal(signal.SIGCONT)
    scene.settled([order])
    later = scene.capture(2)
    scene.settled(later)
    assert states(order) == ["rejected"]
    assert Order.objects.get(id=order.id).is_open is False
    agrees(scene, [order, *later])
