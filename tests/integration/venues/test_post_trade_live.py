"""The whole way after a trade against the simulator, over the FIX session that carried the order: J → P, AS, AK → AT, AU, then a bust."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from allocations.models import BlockFill, Confirmation
from journal.models import SetAside
from journal.services.run_listener import run_listener
from kernel.clock import utc_now
from kernel.fix import ExecType
from kernel.ids import new_id
from kernel.post_trade import AckStatus, MessageKind, PostTradeMessage, TransType
from oms_project.flow import LISTENERS
from orders.models import Execution, Order
from tests.factories import make_account
from tests.factories.allocations import BookedWorld, booked_block
from tests.factories.confirming import allow
from tests.factories.post_trade import received
from tests.gateway_house import SESSION, House
from venues.inbox import consume_post_trade_all
from venues.models import FixSession
from venues.simulator.acceptor import VenueSession
from venues.simulator.back_office import read_ledger
from venues.simulator.listing import ListingSpec, MarketSpec
from venues.simulator.server import Setup, Simulator, VenueSetup
from venues.simulator.units import SCALE

pytestmark = [pytest.mark.fix, pytest.mark.timeout(240), pytest.mark.django_db(transaction=True)]

VOD = ListingSpec(
    listing_id="00000000-0000-0000-0000-000000000000", symbol="VOD.L", mic="XLON", venue_symbol="VOD", isin="GB00BH4HKS39",
    currency="GBP", reference=72 * SCALE, anchor=72 * SCALE, ticks=((0, SCALE // 100),), lot=SCALE, price_unit="GBX",
)  # fmt: skip


@contextmanager
def simulator_at(directory: Path, port: int) -> Iterator[None]:
    """A venue with a house that quotes VOD.L around 72, its session towards us on ``port``."""
    session = VenueSession(SESSION, "VENUE", "OMS", port)
    setup = VenueSetup("SIM1", session, (VOD,), (MarketSpec("XLON", "UTC", True),))
    simulator, stop = Simulator(Setup((setup,), directory, script=directory / "script.json")), threading.Event()
    simulator.start()
    thread = threading.Thread(target=simulator.serve, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)
        simulator.close()


def told(kind: MessageKind) -> list[PostTradeMessage]:
    return [message for message in received() if message.kind is kind]


def relay() -> None:
    """What follows from what was booked and heard: the room that confirms, and the one that sends."""
    for name in ("allocations.confirm", "allocations.post_trade", "venues.post_trade"):
        listener = next(one for one in LISTENERS if one.name == name)
        handle = import_module(listener.module).handle
        while run_listener(name=name, kinds=listener.kinds, handle=handle, at=utc_now()).handled:
            pass


@transaction.atomic
def booked_from(house: House, order: Order) -> BookedWorld:
    """The order's shares for two clients: 200 and 100, at its average price."""
    accounts = [make_account(code, group=house.world.group) for code in ("ACME-1", "ACME-2")]
    at, px = utc_now(), order.avg_px.quantize(Decimal("0.00000001"))
    made = booked_block(
        house.world, [(accounts[0], 200), (accounts[1], 100)], px=str(px), fees="3.00", at=at, trade_date=at.date(),
        settlement_date=at.date() + timedelta(days=2),
    )  # fmt: skip
    for execution in Execution.objects.filter(order=order, exec_type=ExecType.TRADE.value):
        BlockFill.objects.create(
            execution_id=execution.id, block=made.block, order_id=order.id, qty=execution.effective_qty,
            px=execution.effective_px, cash=0, event_id=new_id(), updated_at=at,
        )  # fmt: skip
    return made


def test_a_block_is_confirmed_affirmed_mismatched_and_undone_by_a_bust(tmp_path: Path) -> None:
    """Ours books and confirms, the gateway sends, the venue answers, ours affirms what agrees: nobody presses anything."""
    house, directory = House(tmp_path / "ours"), tmp_path / "venue"
    directory.mkdir()

    def until(condition: Callable[[], bool], what: str) -> None:
        def worked() -> bool:
            consume_post_trade_all()
            relay()
            return condition()

        house.until(worked, what=what)

    def follow(**plan: Any) -> None:
        (directory / "script.json").write_text(json.dumps(plan))

    def heard() -> list[str]:
        lines = read_ledger(directory / "SIM1" / "post_trade.jsonl")
        return [
            f"{line['message']['kind']} {line['message'].get('ack_status', '')}"
            for line in lines
            if line["way"] == "in"
        ]

    def states() -> list[str]:
        return list(Confirmation.objects.order_by("ref").values_list("state", flat=True))

    allow("*", auto_affirm=True)
    follow(post_trade=[{"id": "f", "do": "wrong_fee", "by": "1.50", "when": {"account": "ACME-2"}}])
    try:
        with simulator_at(directory, house.port):
            house.start_gateway()
            until(lambda: FixSession.objects.get(name=SESSION).state == FixSession.State.LOGGED_ON, "the logon")
            order = house.capture(price=Decimal("72.6"), order_qty=Decimal(300))
            until(lambda: Order.objects.get(id=order.id).ord_status == "2", "the fill")
            order.refresh_from_db()
            made = booked_from(house, order)
            until(lambda: states() == ["affirmed", "mismatched"], "an agreement and a mismatch")
            acks = [message.ack_status for message in told(MessageKind.ALLOCATION_ACK)]
            assert acks == [AckStatus.RECEIVED, AckStatus.ACCEPTED]
            (report,) = told(MessageKind.ALLOCATION_REPORT)
            assert (report.block_ref, len(report.accounts)) == (f"B-{made.block.number}", 2)
            lines = [message.accounts[0] for message in told(MessageKind.CONFIRMATION)]
            assert [(line.commission, line.fees) for line in lines] == [
                (Decimal(3), Decimal(0)),
                (Decimal(3), Decimal("1.5")),
            ]
            assert Confirmation.objects.get(state="mismatched").differences[0][0] == "fees"
            until(lambda: len(heard()) >= 3, "both answers")
            answers = sorted(heard())  # the report is refused when the wrong confirmation was seen with it
            assert answers[0] == "allocation_instruction "
            assert answers[1] in ("allocation_report_ack accepted", "allocation_report_ack rejected")
            assert answers[2:] == ["confirmation_ack affirmed"]
            follow(deeds=[{"id": "b", "do": "bust", "cl_ord_id": str(order.cl_ord_id)}])
            until(lambda: len(told(MessageKind.CONFIRMATION)) == 4, "what the bust takes back")
            gone = told(MessageKind.CONFIRMATION)[2:]
            assert {message.trans_type for message in gone} == {TransType.CANCEL}
            assert [message.text for message in gone] == [
                "An execution was withdrawn or corrected after it was affirmed", "An execution was withdrawn or corrected",
            ]  # fmt: skip
            assert told(MessageKind.ALLOCATION_REPORT)[1].trans_type is TransType.CANCEL
            assert not SetAside.objects.exists()
    finally:
        house.stop_gateway()
