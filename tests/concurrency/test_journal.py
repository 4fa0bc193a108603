"""Many writers, one chain; readers that never pass what may still appear; keys that work once."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from journal.bulk import raw_cursor
from journal.domain.chain import verify_chain
from journal.domain.records import StoredAnswer
from journal.models import Event, IdempotencyKey
from journal.selectors import Horizon, list_events_after, stream_events
from journal.services.append_to_stream import append_to_stream
from journal.services.claim_key import claim_key
from journal.services.run_listener import run_listener
from journal.services.store_answer import store_answer
from kernel.errors import Conflict, Unavailable
from tests.concurrency.threads import together
from tests.factories.journal import AT, draft

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_stream_written_by_many_is_one_gapless_chain() -> None:
    def work(n: int) -> None:
        for i in range(10):
            append_to_stream(drafts=[draft("s1", payload={"by": n, "i": i}), draft(f"own:{n}")], at=AT)

    assert together([partial(work, n) for n in range(8)]) == [None] * 8
    events = list(stream_events("s1"))
    assert [event.seq for event in events] == list(range(1, 81))
    assert verify_chain(events) == []


def test_streams_are_locked_in_one_order() -> None:
    streams = [f"s{n}" for n in range(6)]

    def work(order: list[str]) -> None:
        for _ in range(15):
            append_to_stream(drafts=[draft(name) for name in order], at=AT)

    assert together([lambda: work(streams), lambda: work(streams[::-1]), lambda: work(streams[3:] + streams[:3])]) == (
        [None] * 3
    )
    assert all(verify_chain(list(stream_events(name))) == [] for name in streams)


def test_a_reader_waits_for_the_earlier_position_of_a_younger_transaction() -> None:
    """The case a filter by xid alone loses: old xid, late position, committed first."""
    drawn, read = threading.Event(), threading.Event()

    def younger_xid_earlier_position() -> None:
        with transaction.atomic():
            append_to_stream(drafts=[draft("early")], at=AT)
            drawn.set()
            assert read.wait(20)
        connection.close()

    seen_while_running: list[Any] = []

    def older_xid_later_position() -> None:
        with transaction.atomic():
            append_to_stream(drafts=[draft("late")], at=AT)

    writer = threading.Thread(target=younger_xid_earlier_position)
    with transaction.atomic():
        with raw_cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
        writer.start()
        assert drawn.wait(20)
        older_xid_later_position()
    horizon = Horizon()
    seen_while_running = list_events_after(0, limit=10, up_to=horizon.position(patience_s=0.1))
    read.set()
    writer.join(20)
    assert seen_while_running == []
    after = list_events_after(0, limit=10, up_to=horizon.position(patience_s=2))
    assert [event.stream for event in after] == ["early", "late"]


def test_a_listener_beside_many_writers_misses_nothing_and_keeps_the_order_of_streams() -> None:
    done = threading.Event()
    heard: list[tuple[int, str, int]] = []

    def write(n: int) -> None:
        for i in range(25):
            with transaction.atomic():
                append_to_stream(drafts=[draft(f"own:{n}")], at=AT)
                append_to_stream(drafts=[draft("z-shared", kind="Skip" if i % 5 == 0 else "Take")], at=AT)

    def listen() -> None:
        horizon = Horizon()
        while True:
            last = done.is_set()
            run = run_listener(
                name="test",
                kinds=None,
                handle=lambda events: heard.extend((e.position, e.stream, e.seq) for e in events),
                at=AT,
                limit=7,
                horizon=horizon,
            )
            if last and not run.more and run.position >= Event.objects.order_by("-position")[0].position:
                return

    def write_all() -> None:
        assert together([partial(write, n) for n in range(4)]) == [None] * 4
        done.set()

    assert together([write_all, listen]) == [None, None]
    assert heard == sorted(heard)
    assert len(heard) == len({position for position, _, _ in heard}) == Event.objects.count() == 200
    for stream in {stream for _, stream, _ in heard}:
        seqs = [seq for _, name, seq in heard if name == stream]
        assert seqs == list(range(1, len(seqs) + 1))


def test_two_copies_of_a_listener_do_each_event_once() -> None:
    append_to_stream(drafts=[draft(f"s{i}") for i in range(60)], at=AT)
    heard: list[int] = []

    def listen() -> int:
        count = 0
        for _ in range(40):
            run = run_listener(
                name="twice", kinds=None, handle=lambda es: heard.extend(e.position for e in es), at=AT, limit=5
            )
            count += run.handled
        return count

    counts = together([listen, listen, listen])
    assert sum(counts) == 60
    assert sorted(heard) == sorted(Event.objects.values_list("position", flat=True))


def test_fifty_uses_of_a_key_have_one_effect_and_one_answer() -> None:
    effects: list[int] = []

    def use(n: int) -> Any:
        with transaction.atomic():
            found = claim_key(principal="user:1", route="POST /orders", key="k1", payload_hash="same")
            if found is not None:
                return found
            effects.append(n)
            store_answer(
                principal="user:1",
                route="POST /orders",
                key="k1",
                payload_hash="same",
                status=201,
                answer={"id": n},
                at=AT,
            )
            return StoredAnswer("same", 201, {"id": n})

    answers = together([partial(use, n) for n in range(50)])
    assert len(effects) == 1
    assert answers == [StoredAnswer("same", 201, {"id": effects[0]})] * 50
    assert IdempotencyKey.objects.count() == 1
    with pytest.raises(Conflict) as conflict, transaction.atomic():
        claim_key(principal="user:1", route="POST /orders", key="k1", payload_hash="other")
    assert conflict.value.code == "IDEMPOTENCY_CONFLICT"
    with transaction.atomic():
        assert claim_key(principal="user:2", route="POST /orders", key="k1", payload_hash="other") is None
    assert IdempotencyKey.objects.count() == 1


def test_a_key_whose_request_is_still_at_work_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("journal.locks.KEY_WAIT_S", 0.1)
    claimed, told = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            claim_key(principal="user:1", route="r", key="k", payload_hash="h")
            claimed.set()
            assert told.wait(20)
            store_answer(principal="user:1", route="r", key="k", payload_hash="h", status=201, answer={"n": 1}, at=AT)

    def second() -> StoredAnswer | None:
        assert claimed.wait(20)
        try:
            with pytest.raises(Unavailable, match="REQUEST_IN_FLIGHT"), transaction.atomic():
                claim_key(principal="user:1", route="r", key="k", payload_hash="h")
        finally:
            told.set()
        monkeypatch.setattr("journal.locks.KEY_WAIT_S", 20)
        with transaction.atomic():
            return claim_key(principal="user:1", route="r", key="k", payload_hash="h")

    assert together([first, second]) == [None, StoredAnswer("h", 201, {"n": 1})]
