"""kill -9 around a post-trade message: handed over or not at all, on the wire once, or twice and flagged; told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kernel.clock import utc_now
from kernel.post_trade import AckStatus, MessageKind, PostTradeMessage
from tests.concurrency.test_crash_points import killed_at
from tests.concurrency.test_gateway_crashes import GATEWAY, Process
from tests.factories import AT
from tests.factories.post_trade import block_message, fix44, received, release, route_post_trade
from tests.factories.venues import make_session
from tests.fix_venue import ScriptedVenue
from tests.gateway_house import SESSION, House
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import first_values, format_message, parse
from venues.gateway import post_trade
from venues.inbox import consume_post_trade_all
from venues.models import FixSession, PostTradeAgain, PostTradeHandOver, PostTradeIntent, WireMessage
from venues.services.hand_over_post_trade import hand_over_post_trade
from venues.services.watch_post_trade import watch_post_trade

pytestmark = [pytest.mark.django_db(transaction=True)]


def hand_over() -> list[str]:
    adapter = adapter_named("fix44")
    handed = hand_over_post_trade(group="T1", session=SESSION, epoch="e", fence=1, adapter=adapter, limit=9, at=AT)
    return [out.cl_ord_id for out in handed.outgoing]


def test_a_hand_over_killed_before_its_commit_never_was() -> None:
    make_session()
    FixSession.objects.update(fence=1)
    release(block_message(AT), at=AT)
    route_post_trade(at=AT)
    killed_at("post_trade.hand_over", hand_over)
    assert (PostTradeHandOver.objects.count(), PostTradeIntent.objects.get().state) == (0, "waiting")
    assert (hand_over(), hand_over()) == (["B-7-1"], [])
    assert PostTradeHandOver.objects.count() == 1


@pytest.mark.parametrize(("point", "kept"), [("post_trade.mapped", 0), ("post_trade.appended", 1)])
def test_an_inbox_killed_tells_an_answer_once(point: str, kept: int) -> None:
    make_session()
    said = PostTradeMessage(MessageKind.ALLOCATION_ACK, "", "T1", AT, "B-7-1", ack_status=AckStatus.ACCEPTED)
    WireMessage.objects.create(
        direction="in", session=SESSION, epoch="e", msg_seq_num=2, msg_type="P", recorded_at=AT,
        raw=format_message("FIX.4.4", [*fix44(said), (34, "2")]),
    )  # fmt: skip
    killed_at(point, consume_post_trade_all)
    assert len(received()) == kept
    consume_post_trade_all()
    assert [message.ref_of for message in received()] == ["B-7-1"]


@pytest.mark.fix
@pytest.mark.timeout(240)
def test_a_gateway_killed_between_hand_over_and_wire_is_followed_by_one_that_sends_it_once_flagged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have left, for all its text can tell: so its second time says that it is one. What then leaves is as ever."""
    monkeypatch.setattr(post_trade, "SETTLE_AFTER", timedelta(seconds=0.3))
    house = House(tmp_path / "ours")
    venue = ScriptedVenue(tmp_path / "venue", port=house.port)
    at = utc_now()
    release(block_message(at), at=at)
    route_post_trade(at=at)
    gateway = Process(GATEWAY, house.store, crash_at="after_hand_over")
    try:
        house.until(lambda: gateway.killed, seconds=60, what="the kill")
        assert (venue.post_trade, PostTradeHandOver.objects.count()) == ([], 1)
        house.start_gateway()
        house.until(lambda: len(venue.post_trade) == 1, seconds=60, what="the second time")
        release(replace(block_message(at), ref="B-7-2"), at=at)
        route_post_trade(at=at)
        house.until(lambda: len(venue.post_trade) == 2, seconds=60, what="the next message")
        house.until(lambda: not PostTradeIntent.objects.filter(left_at=None).exists(), what="the marks")
        sent = [first_values(parse(raw)) for raw in venue.post_trade]
        assert [(values[70], values.get(97)) for values in sent] == [("B-7-1", "Y"), ("B-7-2", None)]
        assert PostTradeAgain.objects.get().name == "T1|allocation_instruction|B-7-1"
        assert watch_post_trade(at=at + timedelta(minutes=2)) == 2
    finally:
        gateway.stop()
        house.stop_gateway()
        venue.stop()
