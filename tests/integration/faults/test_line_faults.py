"""The line between us and the venue drops, repeats, reorders, spoils, delays, stalls and resets, in both directions.

Real gateway, real simulator, a proxy between them. Whatever the line did: when it behaves again every request has its
end, our books are the venue's truth, nothing reached the venue twice, and every execution counts once.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from journal.models import Event, SetAside
from kernel.clock import utc_now
from kernel.fix import OrdType, Side
from kernel.ids import new_id
from orders.domain.terms import ReplaceTerms
from orders.models import Execution, Order, OrderRequest
from orders.services.replace_order import replace_order
from tests.factories import give_stock
from tests.fix_proxy import IN, OUT, Deed, Fault, FixProxy
from tests.gateway_house import SESSION, House, states
from tests.integration.venues_simulator.venue import listing
from venues.models import FixSession, WireMessage
from venues.simulator.acceptor import VenueSession
from venues.simulator.listing import MarketSpec
from venues.simulator.server import Setup, Simulator, VenueSetup
from venues.simulator.truth import read_truth

pytestmark = [pytest.mark.fix, pytest.mark.timeout(180), pytest.mark.django_db(transaction=True)]

PRICE = Decimal("72.50")
IN_FLIGHT = ("captured", "released", "handed_over", "unknown")


def is_trade(values: dict[int, str]) -> bool:
    return values.get(150) == "F"


def is_acknowledgement(values: dict[int, str]) -> bool:
    return values.get(150) == "0"


FAULTS: dict[str, Fault] = {
    "a trade is lost": Fault(IN, Deed.DROP, "8", match=is_trade),
    "a trade comes twice": Fault(IN, Deed.DUPLICATE, "8", match=is_trade),
    "an acknowledgement comes after the trade": Fault(IN, Deed.HOLD_BACK, "8", match=is_acknowledgement, nth=2),
    "a trade is spoiled": Fault(IN, Deed.SPOIL, "8", match=is_trade),
    "a trade comes late": Fault(IN, Deed.DELAY, "8", match=is_trade, seconds=1.5),
    "the line is cut before a trade": Fault(IN, Deed.RESET, "8", match=is_trade),
    "the line is cut after a trade": Fault(IN, Deed.RESET_AFTER, "8", match=is_trade),
    "an order is lost": Fault(OUT, Deed.DROP, "D", nth=2),
    "an order comes twice": Fault(OUT, Deed.DUPLICATE, "D", nth=2),
    "an order is spoiled": Fault(OUT, Deed.SPOIL, "D", nth=2),
    "two orders change places": Fault(OUT, Deed.HOLD_BACK, "D", nth=2),
    "the line is cut before an order": Fault(OUT, Deed.RESET, "D", nth=2),
    "the line is cut after an order": Fault(OUT, Deed.RESET_AFTER, "D", nth=2),
    "a cancel is lost": Fault(OUT, Deed.DROP, "F"),
    "the line is cut after a cancel": Fault(OUT, Deed.RESET_AFTER, "F"),
    "a replace is spoiled": Fault(OUT, Deed.SPOIL, "G"),
    "the venue falls silent on an open line": Fault(IN, Deed.STALL, "8", match=is_trade),
    "the venue hears nothing on an open line": Fault(OUT, Deed.STALL, "D", nth=3),
    "the answer to a cancel is lost": Fault(IN, Deed.DROP, "8", match=lambda values: values.get(150) == "4"),
}


class Line:
    """The desk, the proxy and the venue behind it."""

    def __init__(self, root: Path) -> None:
        session = VenueSession("SIM1-A", "VENUE", "OMS", 0)
        market = MarketSpec("XLON", "UTC", True)
        vodafone = listing("VOD.L", "XLON", "VOD", "GB00BH4HKS39", 72)
        venue = VenueSetup("SIM1", session, (vodafone,), (market,))
        self.truth = root / "venue" / "SIM1" / "truth.jsonl"
        self.simulator = Simulator(Setup((venue,), root / "venue", house=False))
        self.simulator.start()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.simulator.serve, args=(self._stop,), daemon=True)
        self._thread.start()
        self.proxy = FixProxy(venue_port=self.simulator.ports["SIM1-A"])
        self.house = House(root / "ours", wait_s=60)
        FixSession.objects.filter(name=SESSION).update(port=self.proxy.port, heartbeat_s=2)
        give_stock(self.house.world.account, self.house.world.listing, "100000")

    def close(self) -> None:
        self.house.stop_gateway()
        self.proxy.stop()
        self._stop.set()
        self._thread.join(10)
        self.simulator.close()

    def log_on(self) -> None:
        self.house.start_gateway()
        self.house.until(lambda: FixSession.objects.get(name=SESSION).state == "logged_on", what="the logon")

    def trade(self) -> list[Order]:
        """Two orders that meet, one that is changed and then canceled, and one that rests: every kind of message."""
        house = self.house
        changed = house.capture(price=Decimal("71.50"))
        bought = house.capture(order_qty=Decimal(700), price=PRICE)
        sold = house.capture(side=Side.SELL, order_qty=Decimal(500), price=PRICE)
        resting = house.capture(price=Decimal("71.00"))
        self.patiently(lambda: Order.objects.get(id=changed.id).ord_status is not None)
        if Order.objects.get(id=changed.id).is_open:
            self.replace(changed)
            self.patiently(lambda: not self.in_flight(changed, "replace"))
        if Order.objects.get(id=changed.id).is_open:
            house.cancel(changed)
        return [changed, bought, sold, resting]

    def patiently(self, condition: Any) -> None:
        """Wait for it a while; what a fault makes impossible is looked at when the line behaves again."""
        try:
            self.house.until(condition, seconds=8)
        except AssertionError:
            self.proxy.behave()
            self.house.until(condition, seconds=40)

    def replace(self, order: Order) -> None:
        replace_order(
            actor=self.house.world.dealer,
            at=utc_now(),
            idempotency_key=str(new_id()),
            route="test",
            order_id=order.id,
            terms=ReplaceTerms(order_qty=Decimal(1200)),
        )

    @staticmethod
    def in_flight(order: Order, kind: str) -> bool:
        return OrderRequest.objects.filter(order=order, kind=kind, state__in=IN_FLIGHT).exists()

    def heal(self) -> None:
        """The line behaves; every request comes to its end."""
        self.proxy.behave()
        self.house.until(
            lambda: not OrderRequest.objects.filter(state__in=IN_FLIGHT).exists(),
            seconds=60,
            what=f"the end of every request: {list(OrderRequest.objects.values_list('cl_ord_id', 'kind', 'state'))}",
        )
        self.house.until(lambda: self.differences() == [], seconds=20, what=f"agreement: {self.differences()}")

    def differences(self) -> list[str]:
        """Where our orders and executions are not what the venue wrote down."""
        theirs: dict[str, dict[str, Any]] = {}
        trades: dict[str, set[str]] = {}
        for line in read_truth(self.truth):
            if line["order"] is None:
                continue
            for name in line["order"]["lineage"]:
                theirs[name] = line["order"]
            if line["kind"] == "execution":
                trades.setdefault(line["order"]["order_id"], set()).add(line["execution"]["exec_id"])
        found = []
        for order in Order.objects.all():
            name = OrderRequest.objects.get(order=order, kind="new").cl_ord_id
            known = theirs.get(name)
            if known is None:
                if order.is_open or order.cum_qty:
                    found.append(f"{name}: the venue does not know it, we hold it {order.ord_status}")
                continue
            ours = (order.ord_status, order.cum_qty, order.leaves_qty)
            there = (known["ord_status"], Decimal(known["cum_qty"]), Decimal(known["leaves_qty"]))
            if ours != there:
                found.append(f"{name}: {ours} here, {there} there")
            counted = Counter(Execution.objects.filter(order=order).values_list("exec_id", flat=True))
            if counted != Counter(trades.get(known["order_id"], set())):
                found.append(f"{name}: executions {dict(counted)} here, {trades.get(known['order_id'])} there")
        return found

    def sent_twice(self) -> list[str]:
        """Requests that left us more than once, or that the venue refused as seen before."""
        left = WireMessage.objects.filter(direction="out", msg_type__in=["D", "F", "G"], session=SESSION)
        twice = [name for name, times in Counter(left.values_list("cl_ord_id", flat=True)).items() if times > 1]
        for line in read_truth(self.truth):
            if "Duplicate ClOrdID" in (line["report"] or {}).get("text", ""):
                twice.append(line["report"]["cl_ord_id"])
        return twice


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path)
    yield line
    line.close()


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_the_line_does_the_books_end_equal(line: Line, name: str) -> None:
    given = FAULTS[name]
    fault = Fault(
        given.direction, given.deed, given.msg_type, given.nth, given.times, given.seconds, given.match, given.forge
    )
    line.log_on()
    line.proxy.tell(fault)
    line.trade()
    line.house.until(lambda: fault.done == fault.times, seconds=10, what="the fault")
    line.heal()
    assert line.differences() == []
    assert line.sent_twice() == []
    assert SetAside.objects.count() == 0


def test_a_forged_report_is_set_aside_and_the_stream_goes_on(line: Line) -> None:
    """The checksum fits and the words do not: nothing of it is believed, and what follows it is worked."""
    line.log_on()
    line.proxy.tell(Fault(IN, Deed.FORGE, "8", match=is_acknowledgement, forge=(b"\x01150=0\x01", b"\x01150=?\x01")))
    first = line.house.capture(price=Decimal("71.00"))
    line.house.until(lambda: SetAside.objects.count() == 1, what="the set-aside")
    second = line.house.capture(price=Decimal("71.00"))
    line.house.until(lambda: Order.objects.get(id=second.id).ord_status == "0", what="the next acknowledgement")
    raised = Event.objects.get(kind="AnomalyRaised", payload__kind="WIRE_MESSAGE_SET_ASIDE")
    assert "150=?" in raised.payload["evidence"]["raw"]
    # The order whose only word was spoiled is not guessed at: the venue is asked, and says so again.
    line.house.until(lambda: Order.objects.get(id=first.id).ord_status == "0", seconds=40, what="the asked status")
    assert line.differences() == []


def test_while_the_door_is_closed_nothing_leaves_late(line: Line) -> None:
    """What may wait waits and leaves once; what may not is refused at once and told so; nothing goes out afterwards."""
    line.log_on()
    line.proxy.close_door()
    line.house.until(lambda: FixSession.objects.get(name=SESSION).state != "logged_on", seconds=20, what="the loss")
    patient = line.house.capture(price=Decimal("71.00"))
    hasty = line.house.capture(ord_type=OrdType.MARKET, price=None)
    line.house.until(lambda: states(hasty) == ["refused"], what="the refusal")
    assert states(patient) == ["released"]
    line.proxy.behave()
    line.house.until(lambda: Order.objects.get(id=patient.id).ord_status == "0", seconds=40, what="the acknowledgement")
    line.heal()
    names = [values[11] for values in line.proxy.seen[OUT] if values[35] == "D"]
    assert names == [OrderRequest.objects.get(order=patient).cl_ord_id]
    assert line.sent_twice() == []
