"""What a superuser does to the journal with its guards off is found by the seals, and by the right name.

The streams stay consistent in all but the first case: only the seals, and in the last ones only the anchors, tell. What
the check finds in the database, the verifier finds in an export made of it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from journal.bulk import insert_rows
from journal.domain.chain import verify_chain
from journal.domain.seals import introduce_key
from journal.models import SealKey
from journal.selectors import stream_events
from journal.services.append_to_stream import append_to_stream
from journal.services.check_seals import check_seals
from journal.services.seal_events import KEY_FIELDS, key_values
from tests.factories import evidence, tamper
from tests.factories.journal import AT, draft
from tests.factories.seals import Sealing, guards_off, sealing_in

pytestmark = pytest.mark.django_db
STREAM = "order:2"
Exported = Callable[[], list[str]]


@pytest.fixture
def sealing(tmp_path: Path, settings: Any) -> Sealing:
    """Three seals over three streams of three events, and nothing to find."""
    sealing = sealing_in(tmp_path, settings)
    for number in range(3):
        for stream in ("order:1", STREAM, "order:3"):
            append_to_stream(drafts=[draft(stream, kind=f"K{number}")], at=AT)
        with transaction.atomic():  # positions that stay empty
            append_to_stream(drafts=[draft("rolled-back")], at=AT)
            transaction.set_rollback(True)
        sealing.seal()
    assert sealing.codes() == faults() == []
    return sealing


@pytest.fixture
def exported(sealing: Sealing, tmp_path: Path) -> Callable[[], list[str]]:
    """What the verifier says of an export made now."""
    return lambda: evidence.codes(evidence.export(sealing, tmp_path / "export"))


def faults(stream: str = STREAM) -> list[str]:
    """What the chain of the stream says of itself."""
    return [fault.what for fault in verify_chain(list(stream_events(stream)))]


def test_nothing_happened(sealing: Sealing, exported: Exported) -> None:
    assert exported() == []


def test_an_edited_event_is_told_by_its_stream(sealing: Sealing, exported: Exported) -> None:
    tamper.edit_event(STREAM, 2)
    assert (faults(), sealing.codes(), exported()) == (["altered"], [], ["EVENT_ALTERED"])


def test_the_last_event_of_a_stream(sealing: Sealing, exported: Exported) -> None:
    tamper.delete_last(STREAM)
    assert (faults(), sealing.codes()) == ([], ["SEALED_EVENTS_MISSING"])
    assert sealing.check().findings[0].number == 3
    assert exported() == ["SEALED_EVENTS_MISSING"]


def test_a_chain_rewritten_consistently(sealing: Sealing, exported: Exported) -> None:
    tamper.rewrite_chain(STREAM, lambda payload: {**payload, "order_qty": "999"})
    assert (faults(), sealing.codes()) == ([], ["SEALED_EVENTS_CHANGED"])
    assert [finding.number for finding in sealing.check().findings] == [1, 2, 3]
    assert exported() == ["SEALED_EVENTS_CHANGED"]


def test_a_stream_deleted_as_if_it_had_never_been(sealing: Sealing, exported: Exported) -> None:
    tamper.delete_stream(STREAM)
    assert (faults(), sealing.codes()) == ([], ["SEALED_EVENTS_MISSING"])
    assert sealing.check().findings[0].sentence.startswith("Seal 1 covers 3 events in positions ")
    assert exported() == ["SEALED_EVENTS_MISSING"]


def test_an_event_slipped_into_a_gap(sealing: Sealing, exported: Exported) -> None:
    with guards_off() as cursor:
        cursor.execute(
            "INSERT INTO journal_event SELECT gap.position, gen_random_uuid(), 'order:9', seq, "
            "kind, version, actor, on_behalf_of, correlation_id, causation_id, event_at, received_at, "
            "recorded_at, business_date, payload, prev_hash, hash, xid FROM journal_event e, "
            "(SELECT min(position) + 1 AS position FROM journal_event WHERE stream = 'order:3') AS gap "
            "WHERE stream = %s AND seq = 1",
            [STREAM],
        )
    assert sealing.codes() == ["SEALED_EVENTS_ADDED"]
    assert exported() == ["EVENT_ALTERED", "SEALED_EVENTS_ADDED"]


def test_two_events_that_change_places(sealing: Sealing, exported: Exported) -> None:
    with guards_off() as cursor:
        cursor.execute("SELECT stream, position FROM journal_event WHERE seq = 1 AND stream <> %s", [STREAM])
        (one, first), (other, second) = cursor.fetchall()
        for stream, position in ((one, -1), (other, first), (one, second)):
            cursor.execute("UPDATE journal_event SET position = %s WHERE stream = %s AND seq = 1", [position, stream])
    assert (faults(one), sealing.codes()) == ([], ["SEALED_EVENTS_CHANGED"])
    assert exported() == ["SEALED_EVENTS_CHANGED"]


def test_seals_made_again_with_a_key_nobody_introduced(sealing: Sealing, exported: Exported) -> None:
    tamper.delete_stream(STREAM)
    tamper.reseal(Ed25519PrivateKey.generate(), replace_key=False)
    assert sealing.codes() == ["SEAL_KEY_UNKNOWN", "ANCHOR_DIFFERS"]
    assert exported() == ["SEAL_KEY_UNKNOWN", "ANCHOR_DIFFERS"]


def test_seals_and_keys_made_again_are_told_by_the_anchors_alone(sealing: Sealing, exported: Exported) -> None:
    tamper.delete_stream(STREAM)
    tamper.reseal(Ed25519PrivateKey.generate(), replace_key=True)
    assert sealing.codes() == ["ANCHOR_DIFFERS"]
    assert sealing.codes(places=[]) == []
    assert exported() == ["MANIFEST_UNSIGNED", "ANCHOR_DIFFERS"]


def test_the_last_seal_taken_away_with_its_events(sealing: Sealing, exported: Exported) -> None:
    with guards_off() as cursor:
        cursor.execute("DELETE FROM journal_event WHERE position >= (SELECT max(from_position) FROM journal_seal)")
        cursor.execute("DELETE FROM journal_seal WHERE number = 3")
    assert sealing.codes() == exported() == ["ANCHOR_AHEAD"]


def test_a_seal_made_while_somebody_checks_an_older_snapshot_is_no_finding(sealing: Sealing) -> None:
    with guards_off() as cursor:
        cursor.execute("DELETE FROM journal_seal WHERE number = 3")  # as if it had been committed after the snapshot
    assert check_seals(at=sealing.at).findings == ()
    assert check_seals(at=sealing.at + timedelta(seconds=61)).findings != ()


def test_a_seal_taken_away_from_the_middle(sealing: Sealing, exported: Exported) -> None:
    with guards_off() as cursor:
        cursor.execute("DELETE FROM journal_seal WHERE number = 2")
    assert sealing.codes() == ["SEAL_MISSING", "ANCHOR_UNKNOWN_SEAL"]
    assert "SEAL_MISSING" in exported()


@pytest.mark.parametrize(
    ("keep", "codes"),
    [
        (lambda lines: lines[:2], ["ANCHOR_MISSING"]),
        (lambda lines: [], ["ANCHOR_MISSING"]),
        (lambda lines: [lines[0], lines[2]], ["ANCHOR_CHAIN_BROKEN", "ANCHOR_MISSING"]),
        (
            lambda lines: [lines[0], lines[2], lines[1]],
            ["ANCHOR_CHAIN_BROKEN", "ANCHOR_OUT_OF_ORDER", "ANCHOR_MISSING"],
        ),
        (
            lambda lines: [lines[0].replace(b'"count":3', b'"count":4'), *lines[1:]],
            ["ANCHOR_DIFFERS", "ANCHOR_CHAIN_BROKEN"],
        ),
        (lambda lines: [lines[0], b"{}\n", *lines[1:]], ["ANCHOR_UNREADABLE"]),
    ],
)
def test_a_cut_or_edited_anchor_file(sealing: Sealing, keep: Any, codes: list[str]) -> None:
    lines = sealing.anchors.read_bytes().splitlines(keepends=True)
    assert len(lines) == 3
    sealing.anchors.write_bytes(b"".join(keep(lines)))
    assert sealing.codes() == codes


def test_a_key_nobody_introduced(sealing: Sealing) -> None:
    made = introduce_key(Ed25519PrivateKey.generate(), by=Ed25519PrivateKey.generate(), at=AT)
    insert_rows(SealKey, [key_values(made)], fields=KEY_FIELDS)
    assert sealing.codes() == ["KEY_UNKNOWN"]


def test_a_key_whose_introduction_is_forged(sealing: Sealing) -> None:
    made = introduce_key(Ed25519PrivateKey.generate(), by=Ed25519PrivateKey.generate(), at=AT)
    with guards_off() as cursor:
        cursor.execute("SELECT key_id FROM journal_sealkey")
        old = cursor.fetchone()[0]
    insert_rows(SealKey, [(*key_values(made)[:2], old, *key_values(made)[3:])], fields=KEY_FIELDS)
    assert sealing.codes() == ["KEY_SIGNATURE_WRONG"]


def test_a_forged_signature(sealing: Sealing) -> None:
    with guards_off() as cursor:
        cursor.execute("UPDATE journal_seal SET signature = set_byte(signature, 0, get_byte(signature, 0) # 1)")
    assert sealing.codes() == ["SEAL_SIGNATURE_WRONG", "ANCHOR_DIFFERS"]
