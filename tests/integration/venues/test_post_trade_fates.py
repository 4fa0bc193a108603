"""What was handed over and perhaps never left: settled by what is stored, by what the other side asks for, once, and never a third time."""

from __future__ import annotations

import queue
from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from journal.models import Event
from journal.selectors.anomalies import is_raised
from kernel.clock import utc_now
from kernel.errors import Unavailable
from kernel.post_trade import AckStatus, MessageKind, PostTradeMessage
from risk.domain.rates import RateKind
from tests.concurrency.test_crash_points import killed_at
from tests.factories import AT
from tests.factories.post_trade import block_message, fix44, release, route_post_trade
from tests.factories.rates import slow_mark
from tests.factories.venues import make_session
from tests.gateway_house import SESSION
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import Fields, first_values, format_message, parse
from venues.gateway import sending
from venues.gateway.engine import Engine, Happening, WireItem
from venues.gateway.post_trade import PostTradeDoor
from venues.gateway.recorder import Recorder, SessionMemo
from venues.inbox import consume_post_trade_all
from venues.models import FixSession, PostTradeAgain, PostTradeIntent, WireMessage
from venues.services.hand_over_post_trade import hand_over_post_trade
from venues.services.mark_handed_over import Outgoing
from venues.services.mark_post_trade_left import mark_post_trade_left
from venues.services.settle_post_trade import Held, Settled, settle_post_trade
from venues.services.take_over_sessions import TakenSession

pytestmark = pytest.mark.django_db(transaction=True)
LATER = AT + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def session() -> None:
    make_session()
    FixSession.objects.update(fence=1)


def hand_over(*refs: str) -> list[Outgoing]:
    for ref in refs:
        release(replace(block_message(AT), ref=ref), at=AT)
    route_post_trade(at=AT)
    adapter = adapter_named("fix44")
    handed = hand_over_post_trade(group="T1", session=SESSION, epoch="e", fence=1, adapter=adapter, limit=9, at=AT)
    return list(handed.outgoing)


def settle(*, after: int = 0, at: datetime = LATER, fence: int = 1, adapter: str = "fix44") -> Settled:
    held = Held("T1", SESSION, "e", fence, adapter_named(adapter), before=at, at=at)
    return settle_post_trade(held=held, asked_after=after, limit=64)


def again(**values: object) -> list[str]:
    return [out.cl_ord_id for out in settle(**values).outgoing]  # type: ignore[arg-type]


def left(fields: Fields, number: int) -> None:
    """The recorder stored it as it left."""
    raw = format_message("FIX.4.4", [*fields, (34, str(number))])
    WireMessage.objects.create(
        direction="out", session=SESSION, epoch="e", msg_seq_num=number, msg_type="J", raw=raw, recorded_at=AT
    )


def asks(begin: int, end: int, *, epoch: str = "e") -> int:
    """The other side asks for numbers again."""
    raw = format_message("FIX.4.4", [(35, "2"), (34, "3"), (7, str(begin)), (16, str(end))])
    row = WireMessage.objects.create(
        direction="in", session=SESSION, epoch=epoch, msg_seq_num=3, msg_type="2", raw=raw, recorded_at=AT
    )
    return row.id


def answers(ref: str) -> None:
    said = PostTradeMessage(MessageKind.ALLOCATION_ACK, "", "T1", AT, ref, ack_status=AckStatus.ACCEPTED)
    WireMessage.objects.create(
        direction="in", session=SESSION, epoch="e", msg_seq_num=90, msg_type="P", recorded_at=AT,
        raw=format_message("FIX.4.4", [*fix44(said), (34, "90")]),
    )  # fmt: skip
    consume_post_trade_all()


def unproven() -> list[str]:
    rows = PostTradeIntent.objects.filter(state="handed_over", left_at=None, reason="").order_by("id")
    return list(rows.values_list("name", flat=True))


def test_only_what_nothing_shows_to_have_left_leaves_again_flagged_and_once() -> None:
    """B-1 is marked, B-2 stored, B-3 answered, B-4 nothing: a kill around its send."""
    outgoing = {out.cl_ord_id: out for out in hand_over("B-1", "B-2", "B-3", "B-4")}
    mark_post_trade_left(intent_ids=[outgoing["B-1"].intent_id], at=AT)
    left(outgoing["B-2"].fields, 2)
    answers("B-3")
    killed_at("post_trade.again", settle)
    assert (unproven(), PostTradeAgain.objects.count()) == (["B-2", "B-3", "B-4"], 0)
    (out,) = settle().outgoing
    assert (out.cl_ord_id, out.intent_id) == ("B-4", outgoing["B-4"].intent_id)
    assert tuple(out.fields[:2]) == ((35, "J"), (97, "Y"))
    first = outgoing["B-4"].fields
    assert [one for one in out.fields if one[0] not in (60, 97)] == [one for one in first if one[0] != 60]
    proof = PostTradeAgain.objects.get()
    assert (proof.name, proof.body.startswith("35=J\x0197=Y\x01")) == ("T1|allocation_instruction|B-4", True)
    assert Event.objects.get(kind="PostTradeSentAgain").payload["names"] == ["B-4"]
    assert unproven() == ["B-4"]
    mark_post_trade_left(intent_ids=[out.intent_id], at=LATER)
    assert (again(), unproven()) == ([], [])


class Line:
    """As the engine: numbers what it is given, and queues the text for the recorder before it returns it."""

    def __init__(self) -> None:
        self.items: queue.Queue[WireItem] = queue.Queue()
        self.number = 1

    def send(self, name: str, fields: Fields) -> str:
        self.number += 1
        raw = format_message("FIX.4.4", [*fields, (34, str(self.number))])
        self.items.put(WireItem(Happening.OUT, name, raw, utc_now()))
        return raw


def test_a_message_is_marked_behind_its_text_so_a_kill_between_them_loses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while the texts of B-1 and B-2 are written, with the line cut: neither is marked, both leave again, once."""
    monkeypatch.setattr(sending, "STALE", timedelta.max)
    line, door = Line(), PostTradeDoor("T1")

    def wired(stored: deque[str]) -> Recorder:
        return Recorder(line.items, {SESSION: SessionMemo(SESSION, "e", 1, 1)}, fence=1, post_trade=stored)

    def settles(by: PostTradeDoor, since: datetime) -> None:
        session = cast(TakenSession, SimpleNamespace(name=SESSION, adapter="fix44"))
        now = since + timedelta(seconds=6)
        by.settle(cast(Engine, line), session, epoch="e", fence=1, since=since, now=now)

    door.put_on_wire(cast(Engine, line), SESSION, hand_over("B-1", "B-2"), AT)
    texts = [line.items.get(), line.items.get()]
    killed_at("before_text_stored", lambda: wired(door.stored)._write(texts))
    door.mark(AT)
    assert (unproven(), WireMessage.objects.count()) == (["B-1", "B-2"], 0)
    settles(door, LATER)  # had this process lived, its texts would wait for the database: nothing is decided meanwhile
    assert PostTradeAgain.objects.count() == 0

    second = PostTradeDoor("T1")
    settles(second, LATER)
    texts = [line.items.get(), line.items.get()]
    assert [first_values(parse(one.raw)).get(97) for one in texts] == ["Y", "Y"]
    assert (PostTradeAgain.objects.count(), unproven()) == (2, ["B-1", "B-2"])
    wired(second.stored)._write(texts)
    second.mark(LATER)
    settles(second, LATER + timedelta(minutes=2))
    assert (unproven(), PostTradeIntent.objects.exclude(reason="").count(), line.items.empty()) == ([], 0, True)


def test_a_second_time_that_nothing_proves_either_is_a_persons_matter() -> None:
    hand_over("B-1")
    assert again() == ["B-1"]
    assert [again(), again()] == [[], []]
    intent = PostTradeIntent.objects.get()
    assert intent.reason.endswith("It was sent a second time already.")
    assert is_raised(f"post-trade-unanswered:{intent.id}")
    assert Event.objects.filter(kind="AnomalyRaised", payload__kind="POST_TRADE_UNANSWERED").count() == 1
    answers("B-1")
    assert not is_raised(f"post-trade-unanswered:{intent.id}")


def test_numbers_that_are_asked_for_again_had_not_come() -> None:
    """Three left under 2, 3 and 4, all marked; from 3 on they are asked for; 4 was answered, so it came."""
    outgoing = hand_over("B-2", "B-3", "B-4")
    for number, out in enumerate(outgoing, start=2):
        left(out.fields, number)
    mark_post_trade_left(intent_ids=[out.intent_id for out in outgoing], at=AT)
    answers("B-4")
    asks(1, 0, epoch="d")  # the same numbers of another epoch are others
    assert again() == []
    place = asks(3, 0)
    done = settle()
    assert ([out.cl_ord_id for out in done.outgoing], done.asked_upto) == (["B-3"], place)
    left(done.outgoing[0].fields, 7)
    mark_post_trade_left(intent_ids=[done.outgoing[0].intent_id], at=LATER)
    assert again(after=place) == []
    assert again() == []  # a new gateway looks at the request once more: the flagged one left after it
    asks(7, 7)
    assert again() == []
    assert PostTradeIntent.objects.get(name="B-3").reason.startswith("It left as number 7,")


def test_what_is_too_old_or_not_taken_flagged_is_told_and_what_the_rate_holds_waits() -> None:
    hand_over("B-1", "B-2", "B-3")
    slow_mark(RateKind.SESSION, burst=4, share=50)
    assert again() == ["B-1", "B-2"]  # half of four is kept for cancels
    assert again(at=LATER + timedelta(days=2)) == []
    reasons = list(PostTradeIntent.objects.order_by("id").values_list("reason", flat=True))
    assert [reason.rpartition(": ")[2].partition(". ")[2] for reason in reasons] == [
        "It was sent a second time already.", "It was sent a second time already.", "That was more than a day ago.",
    ]  # fmt: skip
    with pytest.raises(Unavailable, match="SINGLETON_LOST"):
        settle(fence=2)
