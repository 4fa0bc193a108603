"""A post-trade message that the other side's session refuses, or that cannot be made, comes back to who released it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from journal.models import Event
from journal.selectors.anomalies import is_raised
from kernel.post_trade import AckStatus, MessageKind, PostTradeMessage, from_json
from tests.factories import AT
from tests.factories.post_trade import block_message, confirmation_of, fix44, release, route_post_trade
from tests.factories.venues import make_session
from tests.gateway_house import SESSION
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import format_message
from venues.inbox import consume_all
from venues.models import FixSession, PostTradeIntent, WireMessage
from venues.selectors.inbox import list_inbox_sessions
from venues.services.hand_over_post_trade import hand_over_post_trade
from venues.services.watch_post_trade import watch_post_trade

pytestmark = pytest.mark.django_db(transaction=True)

BLOCK = block_message(AT)
REPORT = replace(BLOCK, kind=MessageKind.ALLOCATION_REPORT, ref="R-1", ref_of="")
CONFIRMED = confirmation_of(BLOCK, 0, "C-1")
AFFIRMED = PostTradeMessage(
    MessageKind.CONFIRMATION_ACK, "", "T1", AT, "K-1", ack_status=AckStatus.AFFIRMED, trade_date=BLOCK.trade_date
)
TAKEN = PostTradeMessage(MessageKind.ALLOCATION_REPORT_ACK, "", "T1", AT, "R-9", "B-7", ack_status=AckStatus.ACCEPTED)
SENT = (BLOCK, REPORT, CONFIRMED, AFFIRMED, TAKEN)
FIRST = 10
"""The number the first of them left under."""


def hand_over() -> None:
    adapter = adapter_named("fix44")
    hand_over_post_trade(group="T1", session=SESSION, epoch="e", fence=1, adapter=adapter, limit=9, at=AT)


@pytest.fixture(autouse=True)
def sent() -> None:
    """Five messages that left under the numbers 10 to 14."""
    make_session()
    FixSession.objects.update(fence=1)
    for number, message in enumerate(SENT, start=FIRST):
        release(message, at=AT)
        raw = format_message("FIX.4.4", [*fix44(message), (34, str(number))])
        WireMessage.objects.create(
            direction="out", session=SESSION, epoch="e", msg_seq_num=number, msg_type=fix44(message)[0][1], raw=raw, recorded_at=AT
        )  # fmt: skip
    route_post_trade(at=AT)
    hand_over()


def hear(msg_type: str, number: int, *fields: tuple[int, str], epoch: str = "e") -> None:
    """A refusal comes, and is worked."""
    raw = format_message("FIX.4.4", [(35, msg_type), (34, str(number)), *fields])
    WireMessage.objects.create(
        direction="in", session=SESSION, epoch=epoch, msg_seq_num=number, msg_type=msg_type, raw=raw, recorded_at=AT
    )
    consume_all(list_inbox_sessions())


def returned() -> list[tuple[str, str, str]]:
    """Kind, name and code of what came back, in order."""
    events = Event.objects.filter(kind="PostTradeMessageReturned").order_by("position")
    messages = [from_json(event.payload) for event in events]
    return [(message.kind.value, message.ref or message.ref_of, message.reject_code) for message in messages]


def told(kind: str) -> int:
    return Event.objects.filter(kind="AnomalyRaised", payload__kind=kind).count()


def test_each_refusal_finds_its_message_once_and_by_what_it_names() -> None:
    watch_post_trade(at=AT.replace(hour=23))
    hear("3", 5, (45, "10"), (372, "J"), (373, "5"), (58, "53: not a quantity"))
    hear("j", 6, (45, "10"), (372, "J"), (380, "3"), (58, "the same again"))
    assert returned() == [("allocation_instruction", "B-7-1", "373=5")]
    intent = PostTradeIntent.objects.get(name="B-7-1")
    assert (intent.state, intent.answered_at is not None) == ("returned", True)
    assert intent.reason == "53: not a quantity (SessionRejectReason (373) 5 ValueIsIncorrect)"
    assert not is_raised(f"post-trade-unanswered:{intent.id}")
    hear("j", 7, (379, "R-1"), (372, "AS"), (380, "0"))  # it names the message, no number
    hear("j", 8, (45, "12"), (379, "nonsense"), (372, "AK"), (380, "5"), (58, "118 missing"))  # the number decides
    hear("j", 9, (45, "13"), (372, "AU"), (380, "3"))
    assert returned()[1:] == [
        ("allocation_report", "R-1", "380=0"), ("confirmation", "C-1", "380=5"), ("confirmation_ack", "K-1", "380=3"),
    ]  # fmt: skip
    assert (told("MESSAGE_REFUSED_BY_VENUE"), told("VENUE_REFUSAL")) == (0, 0)
    event = Event.objects.filter(kind="PostTradeMessageReturned").order_by("position")[0]
    assert (event.causation_id, event.payload["session"]) == (intent.event_id, SESSION)
    assert "accounts" not in event.payload


def test_what_names_nothing_we_wait_for_stays_a_matter_of_the_session() -> None:
    hear("j", 5, (45, "14"), (372, "AT"), (380, "3"))  # nobody waits for our word on a report
    hear("j", 6, (45, "99"), (372, "J"), (380, "3"))  # no message of ours
    hear("j", 7, (45, "10"), (97, "Y"), (372, "J"), (380, "3"))  # a number that may be of another epoch
    hear("3", 8, (45, "10"), (373, "5"), epoch="f")  # and one that is
    assert (returned(), told("MESSAGE_REFUSED_BY_VENUE")) == ([], 4)
    assert set(PostTradeIntent.objects.values_list("state", flat=True)) == {"handed_over"}


def test_a_refusal_of_the_whole_session_stops_it_and_one_of_the_message_does_not() -> None:
    hear("j", 5, (45, "10"), (372, "J"), (380, "6"), (58, "no allocations agreed"))
    assert (returned()[-1][2], FixSession.objects.get().enabled) == ("380=6", True)
    hear("3", 6, (45, "11"), (372, "AS"), (373, "9"))
    assert (returned()[-1][2], FixSession.objects.get().enabled) == ("373=9", False)


def test_what_cannot_be_made_comes_back_as_well() -> None:
    broken = release(replace(BLOCK, ref="B-8-1", side=""), at=AT)
    route_post_trade(at=AT)
    hand_over()
    event = Event.objects.get(kind="PostTradeMessageReturned")
    assert (event.causation_id, event.payload["reject_code"]) == (broken.id, "NOT_MAPPED")
    assert event.payload["text"] == "It could not be made: side is missing"
    assert (PostTradeIntent.objects.get(name="B-8-1").state, told("POST_TRADE_NOT_MAPPED")) == ("refused", 1)
