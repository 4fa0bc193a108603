"""Seals cover every settled event once, whatever positions are missing; keys and anchors fail closed and say so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from journal.domain.seals import key_chain
from journal.models import Event, Seal, SealAnchor, SealKey
from journal.seal_key import next_file, write_new_key
from journal.selectors.seals import find_seals_of, list_seal_keys, list_seals
from journal.services.append_to_stream import append_to_stream
from journal.services.rotate_seal_key import rotate_seal_key
from journal.services.seal_events import PATIENCE, seal_events
from kernel.errors import Unavailable
from tests.factories.journal import AT, draft
from tests.factories.seals import Sealing, guards_off, sealing_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealing(tmp_path: Path, settings: Any) -> Sealing:
    return sealing_in(tmp_path, settings)


def write(count: int, stream: str = "order:1") -> None:
    append_to_stream(drafts=[draft(stream, kind=f"K{i}") for i in range(count)], at=AT)


def waste_positions(count: int) -> None:
    """Draw positions in a transaction that rolls back."""
    with transaction.atomic():
        write(count, "rolled-back")
        transaction.set_rollback(True)


def open_anomalies() -> list[tuple[str, str]]:
    """(kind of event, kind of anomaly) in order."""
    found = Event.objects.filter(stream__startswith="anomaly:").order_by("position")
    return [(event.kind, event.payload["kind"]) for event in found]


def test_every_event_is_covered_once_and_absent_positions_are_covered_as_absent(sealing: Sealing) -> None:
    write(3)
    waste_positions(2)
    write(2, "order:2")
    waste_positions(3)
    assert (sealing.seal().sealed, sealing.seal().sealed) == (1, 0)
    write(4, "order:3")
    sealing.seal()

    first, second = list_seals()
    last_of_five = Event.objects.get(stream="order:2", seq=2).position
    assert (first.terms.number, first.terms.from_position, first.terms.count) == (1, 1, 5)
    assert (second.terms.number, second.terms.from_position, second.terms.count) == (2, first.terms.to_position + 1, 4)
    assert second.terms.previous == first.terms.hash()
    assert first.terms.to_position == last_of_five + 3  # up to the horizon, rolled back positions with it
    check = sealing.check()
    assert (check.findings, check.seals, check.events, check.unsealed) == ((), 2, 9, 0)
    assert check.anchored == {sealing.places[0]: 2}


def test_a_backlog_is_sealed_in_bounded_passes_that_join(sealing: Sealing) -> None:
    write(25)
    passes = [sealing.seal(events_per_seal=4).sealed for _ in range(8)]
    assert passes == [True] * 7 + [False]
    assert [seal.terms.count for seal in list_seals()] == [4, 4, 4, 4, 4, 4, 1]
    assert sealing.check(events_per_slice=5).events == 25
    assert sealing.check(after=3).events == 13
    assert sealing.codes() == []


def test_few_events_wait_some_seconds_and_many_do_not(sealing: Sealing) -> None:
    write(1, "a")
    assert sealing.seal(patience=PATIENCE).sealed
    write(3, "b")
    assert not sealing.seal(patience=PATIENCE, events_per_seal=4).sealed
    assert sealing.seal(patience=PATIENCE, events_per_seal=3).sealed
    write(1, "c")
    sealing.at += PATIENCE
    assert sealing.seal(patience=PATIENCE).sealed


@pytest.mark.django_db(transaction=True)
def test_an_open_writer_holds_the_seal_back_and_nothing_is_lost_behind_it(sealing: Sealing) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            write(1, "slow")
            entered.set()
            leave.wait(10)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    entered.wait(10)
    write(2, "quick")
    assert sealing.seal().sealed == 0
    leave.set()
    thread.join()
    assert sealing.seal().sealed == 1
    assert [seal.terms.count for seal in list_seals()] == [3]
    assert sealing.codes() == []


def test_seals_keys_and_anchoring_cannot_be_changed(sealing: Sealing) -> None:
    write(1)
    sealing.seal()
    for model, values in ((Seal, {"root": b""}), (SealKey, {"predecessor": "x"}), (SealAnchor, {"place": "x"})):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.update(**values)
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
        assert model.objects.count() == 1


def test_the_key_is_private_and_a_missing_or_exposed_one_stops_sealing_once(sealing: Sealing, settings: Any) -> None:
    write(1)
    settings.SEAL_KEY_MADE_WHEN_MISSING = False
    assert (sealing.seal().sealed, sealing.seal().sealed) == (0, 0)
    assert open_anomalies() == [("AnomalyRaised", "SEALING_STOPPED")]
    write_new_key(sealing.key_file)
    assert sealing.key_file.stat().st_mode & 0o777 == 0o600
    sealing.key_file.chmod(0o640)
    assert sealing.seal().sealed == 0
    sealing.key_file.chmod(0o600)
    assert sealing.seal().sealed == 1
    assert open_anomalies()[1:] == [("AnomalyCleared", "SEALING_STOPPED")]


def test_another_key_in_the_file_stops_sealing(sealing: Sealing) -> None:
    write(1)
    sealing.seal()
    sealing.key_file.unlink()
    write_new_key(sealing.key_file)
    write(1, "order:2")
    assert sealing.seal().sealed == 0
    assert (
        Event.objects.order_by("-position")[0]
        .payload["sentence"]
        .endswith("holds another key than the one that seals this journal.")
    )
    assert Seal.objects.count() == SealKey.objects.count() == 1


def test_a_rotated_key_is_introduced_by_the_old_one_which_is_destroyed(sealing: Sealing) -> None:
    with pytest.raises(Unavailable, match="SEAL_KEY_NOT_IN_USE"):
        rotate_seal_key(at=AT)
    write(1)
    sealing.seal()
    before = sealing.key_file.read_bytes()
    rotate_seal_key(at=AT)
    write(1, "order:2")
    sealing.seal()

    old, new = (key.terms.key_id for key in key_chain(list_seal_keys()))
    assert [seal.terms.key_id for seal in list_seals()] == [old, new]
    assert sealing.key_file.read_bytes() != before
    assert not next_file(sealing.key_file).exists()
    assert sealing.codes() == []


def test_a_rotation_that_died_before_its_last_step_is_finished(
    sealing: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(1)
    sealing.seal()
    monkeypatch.setattr("journal.services.rotate_seal_key.load_key", _dies_after(1))
    with pytest.raises(KeyboardInterrupt):
        rotate_seal_key(at=AT)
    assert next_file(sealing.key_file).exists()
    write(1, "order:2")
    assert sealing.seal().sealed == 1
    assert not next_file(sealing.key_file).exists()
    assert sealing.codes() == []


def _dies_after(calls: int) -> Callable[[str | None], Any]:
    from journal.seal_key import load_key

    left = [calls]

    def load(newest: str | None) -> Any:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return load_key(newest)

    return load


def test_a_directory_that_fails_is_said_once_and_caught_up_while_the_other_goes_on(
    tmp_path: Path, settings: Any
) -> None:
    sealing = sealing_in(tmp_path, settings, places=2)
    second = Path(sealing.places[1])
    second.write_text("a file where a directory should be")
    for stream in ("order:1", "order:2"):
        write(1, stream)
        sealing.seal()
    assert open_anomalies() == [("AnomalyRaised", "SEAL_NOT_ANCHORED")]
    assert sealing.codes() == ["ANCHOR_MISSING"]
    second.unlink()
    sealing.seal()
    assert open_anomalies() == [("AnomalyRaised", "SEAL_NOT_ANCHORED"), ("AnomalyCleared", "SEAL_NOT_ANCHORED")]
    sealing.seal()
    first, other = (Path(place, "seals.jsonl").read_bytes() for place in sealing.places)
    assert first == other
    assert first.count(b"\n") == Seal.objects.count()
    assert sealing.codes() == []


def test_a_line_whose_record_was_lost_in_a_crash_is_not_written_twice(sealing: Sealing) -> None:
    write(1)
    sealing.seal()
    with guards_off() as cursor:
        cursor.execute("DELETE FROM journal_sealanchor")
    write(1, "order:2")
    assert sealing.seal().anchored == 1
    assert sealing.anchors.read_bytes().count(b"\n") == 2
    assert (sealing.codes(), open_anomalies()) == ([], [])


def test_a_key_place_that_cannot_be_written_and_a_seal_of_no_key_are_said(sealing: Sealing, settings: Any) -> None:
    write(1)
    sealing.key_file.parent.write_text("a file where a directory should be")
    assert not sealing.seal().sealed
    sealing.key_file.parent.unlink()
    assert sealing.seal().sealed
    with guards_off() as cursor:
        cursor.execute("UPDATE journal_seal SET key_id = 'nobody', number = 2")
    assert sealing.seal().anchored == 0
    assert open_anomalies() == [
        ("AnomalyRaised", "SEALING_STOPPED"),
        ("AnomalyCleared", "SEALING_STOPPED"),
        ("AnomalyRaised", "SEAL_NOT_ANCHORED"),
    ]


def test_a_torn_line_is_written_again(sealing: Sealing) -> None:
    write(1)
    sealing.seal()
    with sealing.anchors.open("ab") as file:
        file.write(b'{"chain":"half a li')
    write(1, "order:2")
    sealing.seal()
    assert sealing.codes() == []
    assert sealing.anchors.read_bytes().count(b"\n") == 2


def test_a_cut_file_goes_on_behind_its_hole(sealing: Sealing) -> None:
    for stream in ("a", "b", "c"):
        write(1, stream)
        sealing.seal()
    lines = sealing.anchors.read_bytes().splitlines(keepends=True)
    sealing.anchors.write_bytes(lines[0])
    write(1, "d")
    sealing.seal()
    sealing.seal()
    assert open_anomalies() == [("AnomalyRaised", "SEAL_ANCHOR_CUT")]
    assert [(one.code, one.number) for one in sealing.check().findings] == [("ANCHOR_MISSING", 2)]
    assert "seals 2 to 3" in sealing.check().findings[0].sentence


def test_anchors_of_another_journal_are_not_written_behind(sealing: Sealing, tmp_path: Path) -> None:
    sealing.anchors.parent.mkdir()
    sealing.anchors.write_bytes(b"shopping list\n")
    write(1)
    assert sealing.seal().anchored == 0
    assert sealing.anchors.read_bytes() == b"shopping list\n"
    assert open_anomalies() == [("AnomalyRaised", "SEAL_NOT_ANCHORED")]
    assert "ANCHOR_UNREADABLE" in sealing.codes()


def test_an_old_unsealed_event_is_said(sealing: Sealing) -> None:
    write(1)
    sealing.key_file.parent.mkdir()
    sealing.key_file.write_text("no key")
    sealing.key_file.chmod(0o600)
    assert sealing.seal().behind_s == pytest.approx(1.0)
    late = AT.replace(hour=10)
    assert seal_events(at=late).behind_s == pytest.approx((late - AT).total_seconds())
    assert [kind for _, kind in open_anomalies()] == ["SEALING_STOPPED", "SEALER_BEHIND"]


def test_the_seal_of_a_position_is_found(sealing: Sealing) -> None:
    write(6)
    for _ in range(3):
        sealing.seal(events_per_seal=2)
    positions = list(Event.objects.order_by("position").values_list("position", flat=True))
    assert [seal.terms.number for seal in find_seals_of([positions[n] for n in (0, 1, 4)])] == [1, 3]
    assert find_seals_of([positions[-1] + 99]) == []
