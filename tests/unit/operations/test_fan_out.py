"""Rows on their way to browsers: last change wins, nobody sees another desk, a gap is never silent."""

from __future__ import annotations

import json

from operations.domain.fan_out import Batch, Gatherer, Ring, Sequence, frame


def row(key: str, seq: int, *, desk: int = 1, group: int = 1) -> dict[str, object]:
    return {"d": desk, "g": group, "r": [key, seq]}


def read(data: bytes | None) -> tuple[str, dict[str, object]]:
    assert data is not None
    lines = data.decode().strip().split("\n")
    fields = dict(line.split(": ", 1) for line in lines)
    return fields["event"], json.loads(fields["data"])


def test_several_changes_of_one_order_go_out_once() -> None:
    gatherer = Gatherer()
    gatherer.add(5, [row("a", 1), row("b", 1)])
    gatherer.add(6, [row("a", 2)])
    batch = gatherer.take()
    assert batch is not None
    event, data = read(batch.frame_for({1}, {1}))
    assert event == "rows"
    assert data == {"position": 6, "rows": [["b", 1], ["a", 2]]}
    assert gatherer.take() is None


def test_only_granted_desks_and_groups_are_sent() -> None:
    gatherer = Gatherer()
    gatherer.add(9, [row("mine", 1), row("desk", 1, desk=2), row("group", 1, group=2)])
    batch = gatherer.take()
    assert batch is not None
    assert read(batch.frame_for({1}, {1}))[1]["rows"] == [["mine", 1]]
    assert batch.frame_for({3}, {1, 2}) is None


def test_text_cannot_break_a_frame() -> None:
    gatherer = Gatherer()
    gatherer.add(1, [{"d": 1, "g": 1, "r": ["a", "line\nbreak\n\nevent: rows"]}])
    batch = gatherer.take()
    assert batch is not None
    assert read(batch.frame_for({1}, {1}))[1]["rows"] == [["a", "line\nbreak\n\nevent: rows"]]


def test_a_frame_has_id_event_and_data() -> None:
    assert frame("ping", {"topics": ["approvals"]}, position=7) == (
        b'id: 7\nevent: ping\ndata: {"topics":["approvals"]}\n\n'
    )


def batch(position: int) -> Batch:
    return Batch(position, {(1, 1): b"[]"})


def test_the_ring_answers_what_was_missed_and_nothing_it_does_not_know() -> None:
    ring = Ring(2)
    assert ring.since(0) is None
    ring.start(10)
    assert ring.since(9) is None
    assert ring.since(10) == []
    ring.put(batch(11))
    ring.put(batch(12))
    assert [found.position for found in ring.since(10) or []] == [11, 12]
    ring.put(batch(13))
    assert ring.since(10) is None
    assert [found.position for found in ring.since(11) or []] == [12, 13]
    ring.start(20)
    assert ring.since(13) is None


def test_a_jump_or_a_new_epoch_is_noticed_once() -> None:
    sequence = Sequence()
    assert sequence.next_is("e1", 4)
    assert sequence.next_is("e1", 5)
    assert not sequence.next_is("e1", 7)
    assert sequence.next_is("e1", 8)
    assert not sequence.next_is("e2", 1)
    assert sequence.next_is("e2", 2)
