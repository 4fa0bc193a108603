"""Hashes recomputed by programs of their own: every event is in one slice, as of the snapshot, and what fails there is told here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from django.db import connection

from journal.models import Event
from journal.notify import dedicated_connection
from journal.services.append_to_stream import append_to_stream
from operations.fsck import event_hashes
from operations.fsck.event_hashes import altered_in_slices
from operations.fsck.hash_slice import Blocks, Order, altered_in, carry_out
from operations.fsck.prove import failing
from operations.fsck.readers import prove_together
from operations.fsck.registry import BY_CODE
from operations.fsck.snapshot import Snapshot, open_snapshot
from tests.factories import AT
from tests.factories.journal import draft

pytestmark = pytest.mark.django_db(transaction=True)
EVENTS = 400
PAYLOAD = {
    "zz": '"\\\n\u00fc\u20ac',
    "b": {"long": [1, None, 2**63], "ü": True},
    "a" * 40: "x" * 300,
}  # no text of SQL sorts it so
ALTER = "UPDATE journal_event SET actor = 'user:0' WHERE position IN (SELECT {}(position) FROM journal_event)"


@pytest.fixture
def journal() -> Iterator[None]:
    """A journal of many blocks, whose guards a superuser has switched off."""
    append_to_stream(drafts=[draft(f"test:{n % 7}", payload={**PAYLOAD, "n": n}) for n in range(EVENTS)], at=AT)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE journal_event DISABLE TRIGGER USER")
        yield
        cursor.execute("ALTER TABLE journal_event ENABLE TRIGGER USER")


def blocks_of(snapshot: Snapshot) -> int:
    return int(snapshot.rows(event_hashes._SIZE)[0][0])


def test_every_event_is_in_one_slice(journal: None) -> None:
    seen: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE journal_event SET actor = 'user:0'")
    with open_snapshot(at=AT) as snapshot:
        size = blocks_of(snapshot)
        assert size > 10
        edges = [0, 1, size // 2, size - 1]
        for first, end in zip(edges, [*edges[1:], None], strict=True):
            seen += altered_in(snapshot.connection, Blocks(first, end))
    assert len(seen) == len(set(seen)) == Event.objects.count()


def test_programs_find_what_was_altered_at_either_end_as_of_the_snapshot(
    journal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_hashes, "WORTH_BLOCKS", 1)
    check = [BY_CODE["EVENT_ALTERED"]]
    with open_snapshot(at=AT) as snapshot, dedicated_connection("elsewhere") as other:
        assert snapshot.rows("SELECT count(*) FROM journal_event") == [(Event.objects.count(),)]
        other.execute(ALTER.format("min").encode())
        assert failing(prove_together(snapshot, check)) == ()
        other.execute(ALTER.format("max").encode())
    with open_snapshot(at=AT) as snapshot:
        sliced = prove_together(snapshot, check)[0]
        alone = sorted(altered_in(snapshot.connection, Blocks()))
    assert (sliced.found, len(alone), sliced.carried_out) == (2, 2, True)
    assert sorted(example.partition(":")[0] for example in sliced.examples) == [
        name.partition(":")[0] for name in alone
    ]


def test_a_slice_that_fails_is_no_proof(journal: None) -> None:
    with open_snapshot(at=AT) as snapshot:
        gone = replace(snapshot, exported="00000000-00000000-1")
        with pytest.raises(psycopg.Error, match="snapshot"):
            list(altered_in_slices(gone, blocks_of(snapshot), slices=1))


def test_a_slice_that_takes_too_long_ends_as_a_statement_would(journal: None) -> None:
    with open_snapshot(at=AT) as snapshot, dedicated_connection("elsewhere") as other:
        name = snapshot.rows("SELECT pg_export_snapshot()")[0][0]
        where = {**other.info.get_parameters(), "password": other.info.password}
        whole = list(carry_out(Order(where, name, 0, None, 0)))
        other.execute("BEGIN; LOCK TABLE journal_event")
        late = list(carry_out(Order(where, name, 0, None, 100)))
        other.execute("ROLLBACK")
    assert whole == [{"done": "all"}]
    assert [line["failed"] for line in late] == [psycopg.errors.QueryCanceled.sqlstate]
