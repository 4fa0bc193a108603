"""Events are written in chains, read back as written, and cannot be changed."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from journal.domain.chain import Head, verify_chain
from journal.models import Event, StreamHead
from journal.selectors import list_events_after, stream_events, stream_records
from journal.services.append_events import append_events
from journal.services.append_to_stream import append_to_stream
from tests.factories.journal import AT, draft

PAYLOADS = [
    {"t": 'quote " backslash \\ tab \t newline \n é 日本 \x7f', "n": None, "yes": True, "of": ["1", {"b": "2"}]},
    {"raw": "8=FIX.4.4\x019=12\x0135=0\x0110=001\x01"},
    {"big": 2**70, "negative": -5, "empty": {}, "none": []},
]


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 5, 60])
def test_rows_come_back_as_they_went_in(count: int) -> None:
    drafts = [draft(payload=PAYLOADS[i % 3], kind=f"K{i}", on_behalf_of="ünï") for i in range(count)]
    rows = append_to_stream(drafts=drafts, at=AT)
    stored = list(stream_events("order:1"))
    assert [event.draft for event in stored] == drafts
    assert [event.hash for event in stored] == [row.hash for row in rows]
    assert verify_chain(stored) == []
    assert [record.payload for record in stream_records("order:1")] == [d.payload for d in drafts]
    head = StreamHead.objects.get(stream="order:1")
    assert (head.seq, bytes(head.hash)) == (count, rows[-1].hash)


@pytest.mark.django_db
def test_an_owner_keeps_its_own_head() -> None:
    first = append_events(drafts=[draft()], heads={"order:1": Head(0, b"")}, at=AT)
    second = append_events(drafts=[draft(kind="OrderReleased")], heads={"order:1": first[-1].head}, at=AT)
    assert second[0].prev_hash == first[0].hash
    assert verify_chain(list(stream_events("order:1"))) == []
    assert not StreamHead.objects.exists()
    assert [e.kind for e in list_events_after(0, limit=10)] == ["OrderCaptured", "OrderReleased"]
    assert [e.kind for e in list_events_after(0, limit=10, kinds=["OrderReleased"])] == ["OrderReleased"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE journal_event SET kind = 'other'",
        "UPDATE journal_event SET kind = 'other' WHERE false",
        "DELETE FROM journal_event",
        "TRUNCATE journal_event",
    ],
)
def test_events_cannot_be_changed(sql: str) -> None:
    append_to_stream(drafts=[draft()], at=AT)
    before = list(Event.objects.values_list("id", "kind", "payload"))
    with pytest.raises(IntegrityError, match="its rows are evidence"), transaction.atomic():
        connection.cursor().execute(f"SET CONSTRAINTS ALL IMMEDIATE; {sql}")
    assert list(Event.objects.values_list("id", "kind", "payload")) == before


@pytest.mark.django_db
def test_a_tampered_event_is_found() -> None:
    append_to_stream(drafts=[draft(kind=f"K{i}") for i in range(4)], at=AT)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE journal_event DISABLE TRIGGER journal_event_append_only")
        cursor.execute('UPDATE journal_event SET payload = \'{"order_qty": "101"}\' WHERE seq = 2')
        cursor.execute("DELETE FROM journal_event WHERE seq = 3")
        cursor.execute("ALTER TABLE journal_event ENABLE TRIGGER journal_event_append_only")
    faults = [(fault.seq, fault.what) for fault in verify_chain(list(stream_events("order:1")))]
    assert faults == [(2, "altered"), (4, "gap")]


@pytest.mark.django_db
def test_a_float_in_a_payload_is_refused_and_nothing_is_written() -> None:
    with pytest.raises(TypeError, match="float"), transaction.atomic():
        append_to_stream(drafts=[draft(payload={"price": 1.1})], at=AT)
    assert not Event.objects.exists()
    assert not StreamHead.objects.exists()
