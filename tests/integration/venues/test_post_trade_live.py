"""The whole way after a trade against the simulator, over the FIX session that carried the order: J → P, AS, AK → AT, AU, then a bust."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kernel.clock import utc_now
from kernel.post_trade import AckStatus, MessageKind, OrderLine, PostTradeMessage, TransType
from orders.models import Order
from tests.factories.post_trade import block_message, received, release, route_post_trade
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


def test_a_block_is_confirmed_wrongly_mended_affirmed_and_undone_by_a_bust(tmp_path: Path) -> None:
    house, directory = House(tmp_path / "ours"), tmp_path / "venue"
    directory.mkdir()

    def until(condition: Any, what: str) -> None:
        def worked() -> bool:
            consume_post_trade_all()
            return bool(condition())

        house.until(worked, what=what)

    def follow(**plan: Any) -> None:
        (directory / "script.json").write_text(json.dumps(plan))

    follow(post_trade=[{"id": "f", "do": "wrong_fee", "by": "1.50", "when": {"account": "ACME-2"}}])
    try:
        with simulator_at(directory, house.port):
            house.start_gateway()
            until(lambda: FixSession.objects.get(name=SESSION).state == FixSession.State.LOGGED_ON, "the logon")
            order = house.capture(price=Decimal("72.6"), order_qty=Decimal(300))
            until(lambda: Order.objects.get(id=order.id).ord_status == "2", "the fill")
            order.refresh_from_db()
            avg_px = order.avg_px.quantize(Decimal("0.00000001"))
            at = utc_now()
            block = block_message(
                at, trade_date=at.date(), avg_px=avg_px, fills=(),
                orders=(OrderLine(str(order.cl_ord_id), str(order.venue_order_id), order.cum_qty, avg_px),),
            )  # fmt: skip
            release(replace(block, accounts=tuple(replace(one, avg_px=avg_px) for one in block.accounts)), at=at)
            route_post_trade(at=at)
            until(lambda: len(told(MessageKind.CONFIRMATION)) == 2, "both confirmations")
            acks = [message.ack_status for message in told(MessageKind.ALLOCATION_ACK)]
            assert acks == [AckStatus.RECEIVED, AckStatus.ACCEPTED]
            (report,) = told(MessageKind.ALLOCATION_REPORT)
            assert (report.ref_of, report.block_ref, len(report.accounts)) == ("B-7-1", "B-7", 2)
            right, dear = (message.accounts[0] for message in told(MessageKind.CONFIRMATION))
            assert right.gross == (100 * avg_px / 100).quantize(Decimal("0.01"))
            assert (right.fees, dear.fees) == (Decimal("0.5"), Decimal("2.0"))
            first = told(MessageKind.CONFIRMATION)[0]
            taken = PostTradeMessage(
                MessageKind.ALLOCATION_REPORT_ACK, "", "T1", at, report.ref, ack_status=AckStatus.ACCEPTED
            )
            affirmed = replace(
                taken, kind=MessageKind.CONFIRMATION_ACK, ref_of=first.ref, ack_status=AckStatus.AFFIRMED
            )
            for message in (taken, replace(affirmed, trade_date=at.date())):
                release(message, at=at)
            route_post_trade(at=at)

            def heard() -> list[str]:
                lines = read_ledger(directory / "SIM1" / "post_trade.jsonl")
                return [line["message"]["kind"] for line in lines if line["way"] == "in"]

            until(lambda: heard()[1:] == ["allocation_report_ack", "confirmation_ack"], "both answers")
            follow(deeds=[{"id": "b", "do": "bust", "cl_ord_id": str(order.cl_ord_id)}])
            until(lambda: len(told(MessageKind.CONFIRMATION)) == 4, "what the bust takes back")
            gone = told(MessageKind.CONFIRMATION)[2:]
            assert {message.trans_type for message in gone} == {TransType.CANCEL}
            assert [message.text for message in gone] == [
                "An execution was withdrawn or corrected after it was affirmed", "An execution was withdrawn or corrected",
            ]  # fmt: skip
            assert told(MessageKind.ALLOCATION_REPORT)[1].trans_type is TransType.CANCEL
    finally:
        house.stop_gateway()
