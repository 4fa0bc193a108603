"""What is held is not removed by anybody; what is let go took two people; archives are proven copies."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from journal.domain.retention import HoldTerms, is_held
from journal.models import Archive, Event, LegalHold, RetentionRule
from journal.selectors.retention import kept_days, standing_holds
from journal.services.append_to_stream import append_to_stream
from journal.services.archive_seals import archive_seals
from journal.services.check_archives import check_archives
from journal.services.export_evidence import export_evidence
from journal.services.place_hold import place_hold
from journal.services.release_hold import release_hold
from journal.services.set_retention import set_retention
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid, NotFound
from kernel.ids import new_id
from refdata.models import Listing, PriceTick
from refdata.services.purge_ticks import purge_ticks
from tests.factories import evidence, make_listing
from tests.factories.journal import AT, draft
from tests.factories.seals import Sealing, sealing_in

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(days=40)


def tick(listing: Listing, at: datetime) -> PriceTick:
    made = UUID(
        int=int(at.timestamp() * 1000) << 80 | new_id().int & (1 << 80) - 1
    )  # ids begin with their milliseconds
    return PriceTick.objects.create(
        id=made, listing=listing, source="SIM1", made_at=at, received_at=at, outcome="applied"
    )


def held(*symbols: str, since: timedelta = timedelta(days=100), until: timedelta | None = None) -> Any:
    now = utc_now()
    terms = HoldTerms(now - since, None if until is None else now - until, symbols)
    return place_hold(
        actor="user:1", at=now, matter="M-1", reason="asked for", subject_kind="instrument", subject="x", terms=terms
    )


@pytest.fixture
def vod() -> Listing:
    return make_listing("VOD.L", last="72")


def gone(one: PriceTick) -> bool:
    return not PriceTick.objects.filter(id=one.id).exists()


def in_database(at: datetime, symbol: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT journal_is_held(%s, %s)", [at, symbol])
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("symbols", "until", "kept"),
    [((), None, True), (("VOD.L",), None, True), (("BARC.L",), None, False), ((), timedelta(days=50), False)],
)
def test_a_held_tick_is_neither_purged_nor_deletable(
    vod: Listing, symbols: tuple[str, ...], until: timedelta | None, kept: bool
) -> None:
    at = utc_now() - LONG_AGO
    one = tick(vod, at)
    held(*symbols, until=until)
    assert is_held(standing_holds(), at, "VOD.L") is in_database(at, "VOD.L") is kept
    if kept:
        with pytest.raises(IntegrityError, match="under a legal hold"), transaction.atomic():
            one.delete()
    purge_ticks(at=utc_now())
    assert gone(one) is not kept


def test_what_no_hold_keeps_any_more_goes_and_other_holds_still_keep(vod: Listing) -> None:
    one = tick(vod, utc_now() - LONG_AGO)
    first, second = held(), held("VOD.L")
    said = {"actor": "user:2", "asked_by": "user:1", "reason": "settled"}
    release_hold(hold_id=first, at=utc_now(), **said)
    assert (purge_ticks(at=utc_now()), gone(one)) == (0, False)
    release_hold(hold_id=second, at=utc_now(), **said)
    assert (purge_ticks(at=utc_now()), gone(one)) == (1, True)
    with pytest.raises(Conflict, match="HOLD_RELEASED"):
        release_hold(hold_id=first, at=utc_now(), **said)
    with pytest.raises(NotFound):
        release_hold(hold_id=new_id(), at=utc_now(), **said)
    assert [event.kind for event in Event.objects.filter(stream=f"hold:{first}").order_by("seq")] == [
        "LegalHoldPlaced",
        "LegalHoldReleased",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM journal_legalhold",
        "UPDATE journal_legalhold SET symbols = '[\"BARC.L\"]'",
        "UPDATE journal_legalhold SET from_at = now()",
        "UPDATE journal_legalhold SET to_at = now()",
        "UPDATE journal_legalhold SET state = 'held'; UPDATE journal_legalhold SET state = 'gone'",
        "UPDATE journal_retentionrule SET kept_days = 7",
        "DELETE FROM journal_retentionrule",
    ],
)
def test_holds_and_rules_are_not_rewritten(statement: str) -> None:
    held("VOD.L")
    set_retention(actor="user:2", at=AT, record_class="price_ticks", kept_days=30, reason="r", asked_by="user:1")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert (LegalHold.objects.get().state, RetentionRule.objects.get().kept_days) == ("held", 30)


def test_ticks_are_kept_as_long_as_the_rule_that_has_begun_says(vod: Listing) -> None:
    old = tick(vod, utc_now() - timedelta(days=20))
    assert kept_days("price_ticks", at=utc_now()) == 14
    said: dict[str, Any] = {"actor": "user:2", "at": utc_now(), "reason": "r", "asked_by": "user:1"}
    set_retention(record_class="price_ticks", kept_days=30, **said)
    assert (purge_ticks(at=utc_now()), gone(old)) == (0, False)
    with pytest.raises(ValueError, match="30 days"):
        purge_ticks(at=utc_now(), older_than_days=14)
    set_retention(record_class="price_ticks", kept_days=15, **said)
    assert (purge_ticks(at=utc_now()), gone(old)) == (1, True)
    with pytest.raises(Invalid):
        set_retention(record_class="evidence", kept_days=3000, **said)


@pytest.fixture
def sealing(tmp_path: Path, settings: Any) -> Sealing:
    """Two seals of one day."""
    sealing = sealing_in(tmp_path, settings, places=1)
    for _ in range(2):
        append_to_stream(drafts=[draft("order:1", kind="K", payload={"a": 1})], at=AT)
        sealing.seal()
    return sealing


def archive(sealing: Sealing, root: Path, *, after: timedelta = timedelta(days=3)) -> Archive | None:
    return archive_seals(at=sealing.at + after, root=root, build="test")


def test_a_day_is_archived_once_it_is_over_and_a_stranger_can_verify_it(sealing: Sealing, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    assert archive(sealing, root, after=timedelta(hours=2)) is None
    made = archive(sealing, root)
    assert made is not None
    assert (made.from_seal, made.to_seal) == (1, 2)
    code, verdict, _ = evidence.as_a_stranger(root / made.place)
    assert (code, verdict["figures"]["events"]) == (0, made.events)
    assert Event.objects.get(kind="RangeArchived").payload["manifest_sha256"] == made.manifest_sha256
    assert check_archives(at=AT, root=root, whole=True) == {}
    append_to_stream(drafts=[draft("order:2", kind="K", payload={})], at=AT)
    sealing.at += timedelta(days=4)
    sealing.seal()
    again = archive(sealing, root)
    assert again is not None
    assert again.from_seal == 3
    assert archive(sealing, root) is None
    assert sorted(path.name for path in root.iterdir()) == [made.place, again.place]


@pytest.mark.parametrize(("spoil", "why"), [("manifest", "changed"), ("events", "FILE_CHANGED"), ("all", "missing")])
def test_an_archive_that_was_touched_is_an_anomaly(sealing: Sealing, tmp_path: Path, spoil: str, why: str) -> None:
    made = archive(sealing, tmp_path)
    assert made is not None
    place = tmp_path / made.place
    if spoil == "all":
        place.rename(tmp_path / "elsewhere")
    else:
        path = place / {"manifest": "manifest.json", "events": "events.jsonl"}[spoil]
        path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    wrong = check_archives(at=AT, root=tmp_path, whole=True)
    assert list(wrong) == [made.place]
    assert why in wrong[made.place]
    told = Event.objects.get(kind="AnomalyRaised", stream="anomaly:archive:damaged")
    assert told.payload["evidence"]["archives"] == wrong
    assert check_archives(at=AT, root=tmp_path, whole=True) == wrong
    assert Event.objects.filter(kind="AnomalyRaised", stream="anomaly:archive:damaged").count() == 1


def test_a_copy_that_does_not_verify_is_not_kept(
    sealing: Sealing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(**given: Any) -> Any:
        made = export_evidence(**given)
        path = made.directory / "events.jsonl"
        path.write_bytes(path.read_bytes()[:-10])
        return made

    monkeypatch.setattr("journal.services.archive_seals.export_evidence", spoiled)
    assert archive(sealing, tmp_path) is None
    assert Archive.objects.count() == 0
    assert Event.objects.get(stream="anomaly:archive:unsound", kind="AnomalyRaised").payload["severity"] == "critical"
    monkeypatch.undo()
    assert archive(sealing, tmp_path) is not None
    assert Event.objects.filter(stream="anomaly:archive:unsound", kind="AnomalyCleared").exists()
    assert json.loads((tmp_path / Archive.objects.get().place / "manifest.json").read_text())["last_seal"] == 2
