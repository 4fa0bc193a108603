"""The engine and the recorder against a scripted venue over a real FIX session: traps of the engine, order, numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import IntegrityError, InternalError, transaction

from tests.factories.venues import make_session
from tests.fix_venue import ScriptedVenue, free_port, wait_until
from venues.domain.fix_codec import first_values, parse
from venues.domain.session_numbers import numbers_to_use
from venues.gateway.engine import Engine, EngineSession, Happening, WireItem
from venues.gateway.recorder import Recorder, SessionMemo, clean_text
from venues.models import FixSession, WireMessage
from venues.services.take_over_sessions import take_over_sessions

pytestmark = [pytest.mark.fix, pytest.mark.django_db(transaction=True)]
ORDER = ((35, "D"), (11, "01.1"), (55, "VOD.L"), (54, "1"), (38, "100"), (40, "2"), (44, "70"), (59, "0"))


class Side:
    """Our side of the session: engine and recorder as the gateway wires them."""

    def __init__(self, store: Path, *, fence: int, at: datetime | None = None) -> None:
        taken = take_over_sessions(group="T1", fence=fence, at=at or datetime.now(UTC))[0]
        session = EngineSession(
            taken.name, taken.begin_string, taken.sender_comp_id, taken.target_comp_id, taken.host, taken.port, 5
        )
        self.engine = Engine([session], store=store)
        _, file_out = self.engine.numbers("T1-A")
        numbers = numbers_to_use(taken.stored, file_out=file_out, had_file=self.engine.had_file["T1-A"])
        self.engine.set_numbers("T1-A", next_in=numbers.next_in, next_out=numbers.next_out)
        self.memo = SessionMemo("T1-A", taken.epoch, numbers.next_in, numbers.next_out)
        self.recorder = Recorder(self.engine.items, {"T1-A": self.memo}, fence=fence)

    def start(self) -> Side:
        self.recorder.start()
        self.engine.start()
        wait_until(lambda: self.engine.is_logged_on("T1-A"), what="logon")
        return self

    def stop(self) -> None:
        self.engine.stop()
        self.recorder.finish()
        if self.recorder.is_alive():
            self.recorder.join(timeout=10)


@pytest.fixture
def open_side(tmp_path: Path) -> Iterator[Callable[..., Side]]:
    """Makes our side with its store under ``tmp_path``; every one made is stopped at the end."""
    made: list[Side] = []

    def make(store: str = "ours", *, fence: int = 1) -> Side:
        made.append(Side(tmp_path / store, fence=fence))
        return made[-1]

    yield make
    for side in made:
        side.stop()


@pytest.fixture
def port() -> int:
    port = free_port()
    make_session(port=port)
    return port


@pytest.fixture
def venue(tmp_path: Path, port: int) -> Iterator[ScriptedVenue]:
    venue = ScriptedVenue(tmp_path / "venue", port=port)
    yield venue
    venue.stop()


def stored(direction: str, *types: str) -> list[WireMessage]:
    return list(WireMessage.objects.filter(direction=direction, msg_type__in=types).order_by("id"))


def test_both_directions_are_stored_as_sent(venue: ScriptedVenue, open_side: Callable[..., Side]) -> None:
    side = open_side(fence=1).start()
    raw = side.engine.send("T1-A", ORDER)
    wait_until(lambda: len(stored("in", "8")) == 1)
    side.stop()

    sent, answer = stored("out", "D")[0], stored("in", "8")[0]
    assert sent.raw == raw
    assert raw.startswith("8=FIX.4.4\x019=")
    assert (sent.msg_seq_num, sent.cl_ord_id, sent.epoch, sent.poss_dup) == (2, "01.1", side.memo.epoch, False)
    assert (answer.msg_seq_num, answer.cl_ord_id, answer.venue_order_id) == (2, "01.1", "V-01.1")
    assert answer.sent_at is not None
    session = FixSession.objects.get()
    assert session.state == FixSession.State.DOWN
    assert (session.next_in, session.next_out) == (side.memo.next_in, side.memo.next_out)


def test_a_message_given_while_down_never_leaves(tmp_path: Path, port: int, open_side: Callable[..., Side]) -> None:
    venue = ScriptedVenue(tmp_path / "venue", port=port)
    side = open_side(fence=1).start()
    venue.stop()
    wait_until(lambda: not side.engine.is_logged_on("T1-A"))
    assert side.engine.send("T1-A", ORDER) == ""
    again = ScriptedVenue(tmp_path / "venue", port=port)
    wait_until(lambda: side.engine.is_logged_on("T1-A"))
    side.engine.send("T1-A", [(35, "D"), (11, "01.2"), *ORDER[2:]])
    wait_until(lambda: len(again.heard) == 1)
    side.stop()
    again.stop()
    assert [m[11] for m in again.heard] == ["01.2"]
    assert stored("out", "D")[0].cl_ord_id == "01.2"


def test_a_resend_request_is_answered_by_gap_fill(venue: ScriptedVenue, open_side: Callable[..., Side]) -> None:
    side = open_side(fence=1).start()
    for number in range(1, 4):
        side.engine.send("T1-A", [(35, "D"), (11, f"01.{number}"), *ORDER[2:]])
    wait_until(lambda: len(venue.heard) == 3)
    venue.say([(35, "2"), (7, "1"), (16, "0")])
    wait_until(lambda: len(stored("out", "4")) == 1)
    side.stop()
    fill = first_values(parse(stored("out", "4")[0].raw))
    assert (fill[34], fill[123], fill[36], fill[43]) == ("1", "Y", "5", "Y")
    assert [m[11] for m in venue.heard] == ["01.1", "01.2", "01.3"]


def test_what_was_not_stored_is_sent_again_by_the_venue(venue: ScriptedVenue, open_side: Callable[..., Side]) -> None:
    """The engine had counted the report, our commit never came: the next start expects it again."""
    side = open_side(fence=1)
    unread = side.engine.items
    side.engine.start()
    wait_until(lambda: side.engine.is_logged_on("T1-A"))
    side.engine.send("T1-A", ORDER)
    wait_until(lambda: len(venue.said) == 1 and unread.qsize() >= 5)
    side.stop()  # no recorder ever ran: as if killed before the commit
    assert WireMessage.objects.count() == 0

    second = open_side(fence=2).start()
    wait_until(lambda: len(stored("in", "8")) == 1)
    second.stop()
    again = stored("in", "8")[0]
    assert (again.cl_ord_id, again.poss_dup, again.msg_seq_num) == ("01.1", True, 2)
    assert [m[11] for m in venue.heard_of("D")] == ["01.1"]


def test_a_takeover_without_the_file_uses_the_tables(venue: ScriptedVenue, open_side: Callable[..., Side]) -> None:
    first = open_side("one", fence=1).start()
    first.engine.send("T1-A", ORDER)
    wait_until(lambda: len(stored("in", "8")) == 1)
    first.stop()
    before = FixSession.objects.get()

    second = open_side("another-machine", fence=2)
    assert second.engine.numbers("T1-A") == (before.next_in, before.next_out + 100)
    second.start()
    second.engine.send("T1-A", [(35, "D"), (11, "01.2"), *ORDER[2:]])
    wait_until(lambda: len(stored("in", "8")) == 2)
    second.stop()
    assert [m[11] for m in venue.heard_of("D")] == ["01.1", "01.2"]
    assert len({m.epoch for m in WireMessage.objects.all()}) == 1


def test_a_late_holder_of_the_fence_writes_nothing_more(venue: ScriptedVenue, open_side: Callable[..., Side]) -> None:
    side = open_side(fence=1).start()
    wait_until(lambda: FixSession.objects.get().state == FixSession.State.RECOVERING)
    count = WireMessage.objects.count()
    FixSession.objects.update(fence=2)
    side.engine.send("T1-A", ORDER)
    wait_until(lambda: side.recorder.failure is not None)
    side.stop()
    assert str(side.recorder.failure) == "session T1-A has fence 2, ours is 1"
    assert WireMessage.objects.count() == count


def test_numbers_that_restart_begin_a_new_epoch(venue: ScriptedVenue, open_side: Callable[..., Side]) -> None:
    side = open_side(fence=1)
    items = side.engine.items
    side.recorder.start()
    side.engine.start()
    wait_until(lambda: side.engine.is_logged_on("T1-A"))
    wait_until(lambda: items.empty() and WireMessage.objects.count() >= 2)
    first_epoch = side.memo.epoch
    raw = "8=FIX.4.4\x0135=A\x0134=1\x0149=VENUE\x0156=OMS\x01141=Y\x01"
    items.put(WireItem(Happening.IN, "T1-A", raw, datetime.now(UTC)))
    wait_until(lambda: side.memo.epoch != first_epoch)
    side.stop()
    assert side.memo.epoch > first_epoch
    assert WireMessage.objects.filter(epoch=side.memo.epoch, msg_seq_num=1, direction="in").count() == 1


def test_wire_messages_are_evidence(port: int) -> None:
    row = WireMessage.objects.create(
        direction="in",
        session="T1-A",
        epoch="E",
        msg_seq_num=1,
        msg_type="8",
        raw="35=8\x01",
        recorded_at=datetime.now(UTC),
    )
    for change in (
        lambda: WireMessage.objects.filter(id=row.id).update(raw=""),
        lambda: WireMessage.objects.filter(id=row.id).delete(),
    ):
        with pytest.raises((IntegrityError, InternalError), match="rows are evidence"), transaction.atomic():
            change()
    assert WireMessage.objects.get().raw == "35=8\x01"


def test_text_is_made_safe_for_the_database() -> None:
    odd = b"35=8\x0158=caf\xe9\x00\x01554=secret\x01".decode("utf-8", "surrogateescape")
    assert clean_text(odd) == "35=8\x0158=caf\\xe9\\x00\x01554=***\x01"
