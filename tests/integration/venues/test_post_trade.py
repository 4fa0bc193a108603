"""Post-trade messages over a real FIX session: out once, groups whole both ways, told once, and what cannot be read stops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from authorisation.domain.principal import Principal
from journal.models import Event, SetAside
from journal.selectors.anomalies import is_raised
from kernel.clock import utc_now
from kernel.post_trade import AckStatus, MessageKind, PostTradeMessage, TransType
from risk.domain.rates import RateKind
from risk.models import RateBucket
from tests.factories import AT
from tests.factories.post_trade import block_message, confirmation_of, fix44, received, release, route_post_trade
from tests.factories.rates import slow_mark
from tests.factories.venues import make_session
from tests.fix_venue import Fields, ScriptedVenue
from tests.gateway_house import SESSION, House
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import format_message, parse
from venues.domain.post_trade_codes import KINDS
from venues.domain.post_trade_reading import read
from venues.inbox import consume_post_trade_all
from venues.models import FixSession, PostTradeHandOver, PostTradeIntent, WireMessage
from venues.selectors import get_session
from venues.services.hand_over_post_trade import hand_over_post_trade
from venues.services.watch_post_trade import watch_post_trade

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


def operations_of(house: House) -> Principal:
    return replace(house.world.dealer, rights=house.world.dealer.rights | {"work_post_trade"})


def anomalies(kind: str) -> list[Event]:
    return list(Event.objects.filter(kind="AnomalyRaised", payload__kind=kind).order_by("position"))


def test_a_block_goes_out_is_confirmed_and_affirmed(house: House, venue: ScriptedVenue) -> None:
    """J → P, P, AS, AK, AK (one of them twice, one that cannot be read) → AT, AU, with everything in its place."""
    at = utc_now()
    block = block_message(at)
    ack = PostTradeMessage(MessageKind.ALLOCATION_ACK, "", "T1", at, block.ref, "B-7", ack_status=AckStatus.RECEIVED)
    report = replace(
        block, kind=MessageKind.ALLOCATION_REPORT, ref="R-1", ref_of=block.ref, ack_status=AckStatus.ACCEPTED
    )
    first, second = confirmation_of(block, 0, "K-1"), confirmation_of(block, 1, "K-2")
    broken: Fields = [(tag, "0" if tag == 54 else value) for tag, value in fix44(first)]

    def answer(raw: str) -> list[Fields]:
        if read(parse(raw), counterparty="T1").kind is not MessageKind.ALLOCATION_INSTRUCTION:
            return []
        said = [ack, replace(ack, ack_status=AckStatus.ACCEPTED), report, first]
        return [*map(list, map(fix44, said)), broken, list(fix44(first)), list(fix44(second))]

    venue.answer_post_trade = answer
    house.start_gateway()
    house.until(logged_on)
    release(block, at=at)
    route_post_trade(at=at)

    def told(count: int) -> bool:
        consume_post_trade_all()
        return len(received()) == count

    house.until(lambda: told(6), what="six messages")
    assert [read(parse(raw), counterparty="T1") for raw in venue.post_trade] == [
        replace(block, transact_at=block.transact_at.replace(microsecond=block.transact_at.microsecond // 1000 * 1000))
    ]
    kinds = [message.kind.value for message in received()]
    assert kinds == [*["allocation_ack"] * 2, "allocation_report", *["confirmation"] * 3]
    assert [line.account for line in received()[2].accounts] == ["ACME-1", "ACME-2"]
    assert [(m.ref, m.accounts[0].net, m.accounts[0].gross) for m in received()[3:]] == [
        ("K-1", Decimal("76.63"), Decimal("72.5")), ("K-1", Decimal("76.63"), Decimal("72.5")), ("K-2", Decimal("153.26"), Decimal("145")),
    ]  # fmt: skip
    assert "54='0' is no side" in SetAside.objects.get(source=f"post-trade:{SESSION}").reason
    assert len(anomalies("WIRE_MESSAGE_SET_ASIDE")) == 1
    payload = Event.objects.filter(kind="PostTradeMessageReceived").order_by("position").first().payload  # type: ignore[union-attr]
    assert payload["session"] == SESSION
    assert WireMessage.objects.get(id=payload["wire_message_id"]).msg_type == "P"
    intent = PostTradeIntent.objects.get()
    assert (intent.state, intent.answered_at is not None) == ("handed_over", True)
    proof = PostTradeHandOver.objects.get()
    assert (proof.name, proof.mapping) == ("T1|allocation_instruction|B-7-1", "fix44/1")

    taken = PostTradeMessage(
        MessageKind.ALLOCATION_REPORT_ACK, "", "T1", at, "R-1", "B-7", ack_status=AckStatus.ACCEPTED
    )
    affirmed = PostTradeMessage(
        MessageKind.CONFIRMATION_ACK, "", "T1", at, "K-1", ack_status=AckStatus.AFFIRMED, trade_date=block.trade_date
    )
    for message in (taken, affirmed, affirmed):  # the same word twice is one message and no matter
        release(message, at=at)
    route_post_trade(at=at)
    house.until(lambda: len(venue.post_trade) == 3, what="both answers")
    assert [(m.kind.value, m.ref_of, m.ack_status) for m in (read(parse(raw), counterparty="T1") for raw in venue.post_trade[1:])] == [
        ("allocation_report_ack", "R-1", AckStatus.ACCEPTED), ("confirmation_ack", "K-1", AckStatus.AFFIRMED),
    ]  # fmt: skip
    assert not anomalies("POST_TRADE_NAME_USED")
    shown = [get_session(actor, name=SESSION) for actor in (house.world.dealer, operations_of(house))]
    assert [{row.msg_type for row in detail.messages} & set(KINDS) for detail in shown] == [
        set(),
        {"J", "P", "AS", "AK", "AT", "AU"},
    ]
    assert not [message for message in venue.admin if message[35] == "3"]
    assert not WireMessage.objects.filter(msg_type__in=["J", "AS", "AK"]).exclude(cl_ord_id="").exists()


def test_what_waits_for_the_session_leaves_once_and_silence_is_told_once(house: House, tmp_path: Path) -> None:
    at = utc_now()
    release(block_message(at), at=at)
    route_post_trade(at=at)
    house.start_gateway()
    assert watch_post_trade(at=at + timedelta(seconds=59)) == 0
    assert [watch_post_trade(at=at + timedelta(seconds=61)) for _ in range(2)] == [1, 0]
    assert "still waits to be sent" in anomalies("POST_TRADE_UNANSWERED")[0].payload["sentence"]
    venue = ScriptedVenue(tmp_path / "venue", port=house.port)
    try:
        house.until(lambda: len(venue.post_trade) == 1, what="the block")
        say = PostTradeMessage(MessageKind.ALLOCATION_ACK, "", "T1", at, "B-7-1", ack_status=AckStatus.ACCEPTED)
        venue.say(list(fix44(say)))
        house.until(lambda: consume_post_trade_all() > 0, what="the answer")
    finally:
        house.stop_gateway()
        venue.stop()
    assert len(venue.post_trade) == 1
    intent = PostTradeIntent.objects.get()
    assert (intent.answered_at is not None, is_raised(f"post-trade-unanswered:{intent.id}")) == (True, False)


def test_who_gets_what_and_under_which_name(house: House) -> None:
    """The same event again, another under its name, a counterparty without a session or without the message, one without a figure."""
    make_session(name="C1-A", group="C1", adapter="fix44-drop-copy", venue="CV", begin_string="FIX.4.2")
    block = block_message(AT)
    event = release(block, at=AT)
    route_post_trade(at=AT)
    again = replace(block, text="other")
    corrected = replace(block, ref="B-7-2", ref_of="B-7-1", trans_type=TransType.REPLACE)
    for message in (again, corrected, replace(block, counterparty="NOBODY"), replace(block, counterparty="C1")):
        release(message, at=AT)
    route_post_trade(at=AT)
    names = list(PostTradeIntent.objects.order_by("id").values_list("name", flat=True))
    assert (names, PostTradeIntent.objects.get(name="B-7-1").event_id) == (["B-7-1", "B-7-2"], event.id)
    assert [a.payload["subject_id"] for a in anomalies("POST_TRADE_BY_HAND")] == ["NOBODY", "C1"]
    assert len(anomalies("POST_TRADE_NAME_USED")) == 1
    PostTradeIntent.objects.filter(name="B-7-2").update(
        payload={**PostTradeIntent.objects.get(name="B-7-2").payload, "side": ""}
    )
    FixSession.objects.filter(name=SESSION).update(fence=1)
    handed = hand_over_post_trade(
        group="T1", session=SESSION, epoch="e", fence=1, adapter=adapter_named("fix44"), limit=64, at=AT
    )
    assert ([out.cl_ord_id for out in handed.outgoing], handed.claimed) == (["B-7-1"], 2)
    assert list(PostTradeIntent.objects.order_by("id").values_list("state", flat=True)) == ["handed_over", "refused"]
    assert "side is missing" in anomalies("POST_TRADE_NOT_MAPPED")[0].payload["sentence"]
    assert watch_post_trade(at=AT + timedelta(hours=1)) == 2
    assert ["not said that it has" in a.payload["sentence"] for a in anomalies("POST_TRADE_UNANSWERED")] == [True]


def test_it_takes_what_orders_leave_of_the_rate(house: House) -> None:
    FixSession.objects.filter(name=SESSION).update(fence=1)
    for number in range(4):
        release(replace(block_message(AT), ref=f"B-{number}"), at=AT)
    route_post_trade(at=AT)
    slow_mark(RateKind.SESSION, burst=4, share=50)

    def leave() -> list[str]:
        adapter = adapter_named("fix44")
        handed = hand_over_post_trade(group="T1", session=SESSION, epoch="e", fence=1, adapter=adapter, limit=64, at=AT)
        return [out.cl_ord_id for out in handed.outgoing]

    assert (leave(), leave()) == (["B-0", "B-1"], [])  # half of four is kept for cancels
    RateBucket.objects.all().delete()
    assert leave() == ["B-2", "B-3"]


def test_a_transport_duplicate_is_told_once_and_each_slice_goes_on_from_the_last(house: House) -> None:
    for number, name in ((7, "K-1"), (7, "K-1"), (8, "K-2"), (9, "K-3")):
        text = format_message("FIX.4.4", [*fix44(confirmation_of(block_message(AT), 0, name)), (34, str(number))])
        WireMessage.objects.create(
            direction="in", session=SESSION, epoch="e", msg_seq_num=number, msg_type="AK", raw=text, recorded_at=AT
        )
    assert [consume_post_trade_all() for _ in range(2)] == [4, 0]
    assert [message.ref for message in received()] == ["K-1", "K-2", "K-3"]
