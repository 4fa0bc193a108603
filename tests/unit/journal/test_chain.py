"""The chain hashes exactly the canonical envelope, whatever is in it, and finds every change."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.domain.chain import (
    GENESIS,
    Canonical,
    EventRow,
    Head,
    StoredEvent,
    chain,
    envelope,
    last_heads,
    payload_bytes,
    verify_chain,
)
from kernel.canonical import canonical_json
from tests.factories.journal import AT, draft

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, JSON, max_size=5))
def test_the_fast_bytes_are_the_canonical_bytes(payload: dict[str, Any]) -> None:
    assert payload_bytes(payload) == canonical_json(payload)


@given(TEXT, TEXT, TEXT, st.integers(1, 2**31), st.datetimes(timezones=st.just(UTC)))
def test_the_envelope_is_canonical_json(stream: str, kind: str, actor: str, seq: int, at: datetime) -> None:
    one = draft(stream=stream, kind=kind, actor=actor, event_at=at, on_behalf_of=actor)
    text = envelope(one, seq=seq, recorded_at=AT, payload_json=payload_bytes(one.payload))
    assert text == canonical_json(
        {
            "id": one.id,
            "stream": stream,
            "seq": seq,
            "kind": kind,
            "version": 1,
            "actor": actor,
            "on_behalf_of": actor,
            "correlation_id": one.correlation_id,
            "causation_id": None,
            "event_at": at,
            "received_at": AT,
            "recorded_at": AT,
            "business_date": one.business_date,
            "payload": one.payload,
        }
    )


def test_a_known_hash() -> None:
    """The figure a stand-alone verifier reproduces with SHA-256 and this text alone."""
    one = draft(id=UUID(int=7), payload={"b": "2", "a": ["1", None]})
    row = chain([one], {}, recorded_at=AT)[0]
    text = (
        '{"actor":"user:1","business_date":"2026-11-20","causation_id":null,'
        '"correlation_id":"0193f0a0-0000-7000-8000-000000000001","event_at":"2026-11-20T09:30:00.123456Z",'
        '"id":"00000000-0000-0000-0000-000000000007","kind":"OrderCaptured","on_behalf_of":"",'
        '"payload":{"a":["1",null],"b":"2"},"received_at":"2026-11-20T09:30:00.123456Z",'
        '"recorded_at":"2026-11-20T09:30:00.123456Z","seq":1,"stream":"order:1","version":1}'
    )
    assert row.prev_hash == GENESIS == bytes(32)
    assert row.hash == hashlib.sha256(bytes(32) + text.encode()).digest()


def test_times_of_any_zone_hash_alike() -> None:
    here = AT.astimezone(timezone(timedelta(hours=5)))
    first = draft()
    second = replace(first, event_at=here, received_at=here)
    assert chain([first], {}, recorded_at=AT)[0].hash == chain([second], {}, recorded_at=here)[0].hash


def stored(rows: tuple[EventRow, ...]) -> list[StoredEvent]:
    return [StoredEvent(row.draft, row.seq, row.recorded_at, row.prev_hash, row.hash) for row in rows]


def test_streams_are_chained_apart() -> None:
    rows = chain(
        [draft("a"), draft("b"), draft("a")], {"b": Head(4, b"4" * 32), "c": Head(1, b"1" * 32)}, recorded_at=AT
    )
    assert [(row.draft.stream, row.seq) for row in rows] == [("a", 1), ("b", 5), ("a", 2)]
    assert rows[1].prev_hash == b"4" * 32
    assert rows[2].prev_hash == rows[0].hash
    assert last_heads(rows) == {"a": Head(2, rows[2].hash), "b": Head(5, rows[1].hash)}
    assert verify_chain(stored((rows[0], rows[2]))) == []
    assert verify_chain(stored((rows[1],)), after=Head(4, b"4" * 32)) == []


def broken(events: list[StoredEvent]) -> list[tuple[int, str]]:
    return [(fault.seq, fault.what) for fault in verify_chain(events)]


def test_every_kind_of_tampering_is_found() -> None:
    events = stored(chain([draft(kind=f"K{i}") for i in range(5)], {}, recorded_at=AT))
    assert broken(events) == []
    assert broken(events[1:]) == [(2, "gap")]
    assert broken([events[0], events[2], *events[3:]]) == [(3, "gap")]
    for changes in (
        {"draft": replace(events[2].draft, actor="user:2")},
        {"draft": replace(events[2].draft, payload={"order_qty": "101"})},
        {"recorded_at": AT + timedelta(microseconds=1)},
    ):
        assert broken([*events[:2], replace(events[2], **changes), *events[3:]]) == [(3, "altered")]
    rewritten = stored(chain([draft(kind="K1")], {"order:1": Head(1, b"x" * 32)}, recorded_at=AT))
    assert broken([events[0], *rewritten]) == [(2, "broken_link")]


@pytest.mark.parametrize("value", [1.5, {"a": [1.0]}, object()])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        chain([draft(payload={"v": value})], {}, recorded_at=AT)


def test_finished_text_is_hashed_as_what_it_says() -> None:
    """Whoever reads the event back knows nothing of how it was made."""
    rows = [["0198-a", "GBP", "12.5", "0"], ["0198-b", "EUR", "-3", "1"]]
    text = '[["0198-a","GBP","12.5","0"],["0198-b","EUR","-3","1"]]'
    told = {"what": "cash", "rows": Canonical(text), "part": 0}
    plain = {"what": "cash", "rows": rows, "part": 0}
    assert payload_bytes(told) == payload_bytes(plain) == canonical_json(plain)
    (made,) = chain([draft(payload=told)], {}, recorded_at=AT)
    stored = StoredEvent(replace(made.draft, payload=plain), made.seq, AT, made.prev_hash, made.hash)
    assert verify_chain([stored]) == []
    altered = StoredEvent(
        replace(stored.draft, payload={**plain, "rows": rows[:1]}), made.seq, AT, made.prev_hash, made.hash
    )
    assert [fault.what for fault in verify_chain([altered])] == ["altered"]
