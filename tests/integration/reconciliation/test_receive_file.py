"""A file comes: kept whole, judged, and each thing that can be wrong with it is named, owned and settled by a good one."""

from __future__ import annotations

import hashlib
import stat
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings as house
from django.db import DatabaseError, connection, transaction

from journal.models import Event
from kernel.errors import NotPermitted
from reconciliation.formats.problems import FileCode, FileProblem
from reconciliation.formats.read_statement import open_statement
from reconciliation.kept_files import kept_path
from reconciliation.models import Feed, FeedFile
from reconciliation.services import receive_file as receiving
from reconciliation.services.receive_file import keep_file, receive_file
from reconciliation.services.record_reading import record_reading
from tests.factories import make_principal
from tests.factories.feeds import FRIDAY, MORNING, THURSDAY, anomalies, bring, cash_file, make_calendar, make_feed

pytestmark = pytest.mark.django_db


@pytest.fixture
def feed() -> Feed:
    make_calendar()
    return make_feed()


def row() -> FeedFile:
    return FeedFile.objects.latest("received_at", "id")


def test_a_sound_file_is_kept_and_read(feed: Feed) -> None:
    content = cash_file(sequence=7, said=" sum=110.50")
    received = bring(feed, content)
    digest = hashlib.sha256(content).hexdigest()
    assert (received.taken, received.duplicate, received.faults) == (True, False, [])
    one = row()
    assert (one.id, one.sha256, one.size, one.name) == (received.file_id, digest, len(content), "cash.csv")
    assert (one.state, one.format, one.statement_date, one.sequence) == ("read", "csv", THURSDAY, "7")
    assert (one.said, one.counted["rows"], one.counted["closing"]) == (
        {"rows": 1, "amount": "110.5"}, 1, {"A1 GBP": "110.5"},
    )  # fmt: skip
    assert (one.problems, one.feed_id, one.source) == ([], "BANK-CASH", "BANK")
    kept = kept_path(digest)
    assert (kept.read_bytes(), stat.S_IMODE(kept.stat().st_mode)) == (content, 0o600)
    assert [path.name for path in kept.parent.iterdir()] == [digest]
    event = Event.objects.get(stream=f"feed:{one.id}")
    assert (event.kind, event.payload["sha256"], event.payload["state"]) == ("FeedFileReceived", digest, "read")
    assert anomalies() == []


def test_the_same_bytes_again_are_named_and_nothing_is_done(feed: Feed) -> None:
    first = bring(feed, cash_file())
    again = bring(feed, cash_file(), name="cash_2.csv", at=MORNING + timedelta(hours=1))
    assert (again.file_id, again.duplicate, again.taken) == (first.file_id, True, True)
    assert "byte for byte cash.csv, which came at 2026-11-20 07:00:00 UTC" in again.faults[0].sentence
    assert (FeedFile.objects.count(), anomalies()) == (1, [("FILE_DUPLICATE", "R")])
    bring(feed, cash_file(FRIDAY), at=MORNING + timedelta(hours=2))
    assert anomalies() == [("FILE_DUPLICATE", "R"), ("FILE_DUPLICATE", "C")]


def test_a_road_that_was_stopped_brings_the_same_again_without_alarm(feed: Feed) -> None:
    first = bring(feed, cash_file())
    again = bring(feed, cash_file(), resumed=True)
    assert (again.file_id, again.duplicate, anomalies()) == (first.file_id, True, [])


WRONG = {
    "cut in a row": (cash_file()[:60], "FILE_TRUNCATED"),
    "without its trailer": (cash_file().rpartition(b"#TRAILER")[0], "FILE_TRUNCATED"),
    "empty": (b"", "FILE_TRUNCATED"),
    "a row too few": (cash_file().replace(b"rows=1", b"rows=2"), "FILE_TOTALS_DIFFER"),
    "a sum that differs": (cash_file(said=" sum=110.51"), "FILE_TOTALS_DIFFER"),
    "no such file": (b"\x00\x01\x02", "FILE_CORRUPT"),
    "other columns": (b"a,b\n1,2\n", "FILE_CORRUPT"),
    "another day": (cash_file(THURSDAY - timedelta(days=1)), "FILE_WRONG_DAY"),
    "a day to come": (cash_file(FRIDAY + timedelta(days=3)), "FILE_WRONG_DAY"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_kept_and_owned_until_a_good_one_comes(feed: Feed, name: str) -> None:
    content, code = WRONG[name]
    received = bring(feed, content)
    assert (received.taken, [fault.code.value for fault in received.faults]) == (False, [code])
    assert (row().state, row().problems[0]["code"], anomalies()) == ("refused", code, [(code, "R")])
    assert kept_path(received.sha256).read_bytes() == content
    assert Event.objects.get(stream=f"feed:{received.file_id}").kind == "FeedFileRefused"
    assert bring(feed, cash_file(), name="good.csv").taken
    assert anomalies() == [(code, "R"), (code, "C")]


def test_rows_that_cannot_be_read_refuse_a_feed_that_is_taken_whole(feed: Feed) -> None:
    content = cash_file(rows=["A1,GBP,100,110.50", "A2,GBP,1,a lot"])
    assert (bring(feed, content).taken, row().state, row().counted["refused"]) == (True, "partly", 1)
    assert (row().problems[0]["line"], row().problems[0]["column"]) == (4, "amount")
    Feed.objects.update(partial="whole")
    other = bring(Feed.objects.get(), content + b"\n")
    assert (other.taken, other.faults[0].code.value) == (False, "FILE_CORRUPT")


def test_older_than_the_last_and_a_second_one_of_a_day(feed: Feed) -> None:
    bring(feed, cash_file(FRIDAY))
    assert bring(feed, cash_file(THURSDAY)).faults[0].code.value == "FILE_OLDER"
    assert bring(feed, cash_file(FRIDAY, rows=["A1,GBP,1,2"])).taken
    Feed.objects.update(resend="refuse")
    resent = bring(Feed.objects.get(), cash_file(FRIDAY, rows=["A1,GBP,1,3"]))
    assert (resent.taken, resent.faults[0].code.value) == (False, "FILE_RESENT")


def test_a_gap_of_numbers_and_of_balances_is_told_and_can_refuse(feed: Feed) -> None:
    Feed.objects.update(sequence="told")
    kept = Feed.objects.get()
    bring(kept, cash_file(THURSDAY, sequence=7))
    friday = MORNING + timedelta(hours=12)
    gap = bring(kept, cash_file(FRIDAY, sequence=9, rows=["A1,GBP,110.50,1"]), at=friday)
    assert (gap.taken, [fault.code.value for fault in gap.faults]) == (True, ["FILE_SEQUENCE_GAP"])
    assert (
        gap.faults[0].sentence == "cash.csv is number 9; the one before was 7. It was taken; ask for what lies between."
    )
    Feed.objects.update(sequence="refused")
    strict = bring(Feed.objects.get(), cash_file(FRIDAY, sequence=8, rows=["A1,GBP,110.49,1"]), at=friday)
    assert (strict.taken, row().state) == (False, "refused")
    assert "opens A1 GBP at 110.49, the one before closed it at 110.5" in strict.faults[0].sentence
    good = bring(Feed.objects.get(), cash_file(FRIDAY, sequence=8, rows=["A1,GBP,110.5,2"]), at=friday)
    assert (good.taken, good.faults) == (True, [])
    assert anomalies() == [("FILE_SEQUENCE_GAP", word) for word in "RRC"]


def test_a_refused_file_may_come_again_on_its_day(feed: Feed) -> None:
    monday = FRIDAY + timedelta(days=3)
    early = bring(feed, cash_file(monday))
    assert not early.taken
    later = bring(feed, cash_file(monday), at=MORNING + timedelta(days=3))
    assert (later.file_id, later.taken, later.duplicate, row().state) == (early.file_id, True, False, "read")
    assert [event.kind for event in Event.objects.filter(stream=f"feed:{early.file_id}").order_by("seq")] == [
        "FeedFileRefused",
        "FeedFileReceived",
    ]


def test_a_file_that_does_not_say_its_day_is_about_the_day_that_is_owed(feed: Feed) -> None:
    bring(feed, b"account,currency,amount\nA1,GBP,5\n")
    assert (row().state, row().statement_date) == ("read", THURSDAY)


def test_too_large_is_refused_unread_and_not_kept(feed: Feed) -> None:
    Feed.objects.update(largest=20)
    received = bring(Feed.objects.get(), cash_file())
    assert (received.file_id, received.taken, received.faults[0].code.value) == (None, False, "FILE_TOO_LARGE")
    assert list((Path(house.VAR_DIR) / "feeds").iterdir()) == []
    assert anomalies() == [("FILE_TOO_LARGE", "R")]


def test_a_large_file_is_not_read_at_the_door(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "READ_AT_THE_DOOR", 10)
    assert (bring(feed, cash_file().replace(b"rows=1", b"rows=2")).taken, row().state) == (True, "received")


def test_a_manifest_lies_beside_and_must_agree(feed: Feed) -> None:
    content = b"account,currency,amount\nA1,GBP,5\n"
    assert bring(feed, content, manifest=b'{"rows": 1, "date": "2026-11-19", "sequence": 3}').taken
    assert (row().sequence, row().said) == ("3", {"rows": 1})
    wrong = bring(feed, content + b"A2,GBP,5\n", manifest=b'{"rows": 3}')
    assert (wrong.taken, wrong.faults[0].code.value) == (False, "FILE_TOTALS_DIFFER")
    other = bring(feed, content + b"A3,GBP,5\n", manifest=b'{"sha256": "%s"}' % (b"0" * 64))
    assert (other.taken, other.faults[0].code.value) == (False, "FILE_TOTALS_DIFFER")


def test_a_signature_must_hold_under_the_agreed_key(feed: Feed) -> None:
    key, stranger = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    Feed.objects.update(signature_key="bank.pem")
    signed, content = Feed.objects.get(), cash_file()
    digest = hashlib.sha256(content).hexdigest().encode()
    no_key = bring(signed, content, signature=key.sign(digest))
    assert no_key.faults[0].code.value == "FILE_SIGNATURE"
    place = Path(house.VAR_DIR) / "keys" / "feeds"
    place.mkdir(parents=True)
    (place / "bank.pem").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for signature in (b"", b"nothing", stranger.sign(digest), key.sign(b"other")):
        refused = bring(signed, content, signature=signature)
        assert (refused.taken, refused.faults[0].code.value, row().signed_by) == (False, "FILE_SIGNATURE", "")
    assert bring(signed, content, signature=key.sign(digest).hex().encode() + b"\n").taken
    assert (row().state, row().signed_by) == ("read", "bank.pem")
    assert anomalies()[-1] == ("FILE_SIGNATURE", "C")


def test_without_a_feed_whoever_stands_there_is_answered(feed: Feed) -> None:
    received = bring(None, cash_file().replace(b"rows=1", b"rows=2"), source="BANK2")
    assert (received.taken, row().feed_id, row().source, row().state) == (True, None, "BANK2", "received")
    cut = bring(None, b"\x00")
    assert (cut.taken, cut.faults[0].code.value, anomalies()) == (False, "FILE_CORRUPT", [])
    again = bring(None, cash_file().replace(b"rows=1", b"rows=2"), source="BANK2")
    assert (again.file_id, again.duplicate, again.taken) == (received.file_id, True, True)


def test_who_may_not_work_on_breaks_brings_nothing(feed: Feed) -> None:
    dealer = make_principal("dealer", role="dealer", rights=("enter_order",))
    with pytest.raises(NotPermitted, match="RIGHT_MISSING"):
        receive_file(actor=dealer, at=MORNING, name="cash.csv", content=BytesIO(b"x"), kind="cash", feed=feed)
    assert (FeedFile.objects.count(), Event.objects.count()) == (0, 0)
    assert not (Path(house.VAR_DIR) / "feeds").exists()


def test_a_kept_file_is_the_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    kept = keep_file(tmp_path / "x")
    assert (kept.sha256, kept.size, kept.path.read_bytes()) == (hashlib.sha256(b"abc").hexdigest(), 3, b"abc")


def test_what_came_is_never_rewritten(feed: Feed) -> None:
    bring(feed, cash_file())
    for column, value in (("sha256", "0" * 64), ("name", "other"), ("feed_id", None), ("state", "received")):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE reconciliation_feedfile SET {column} = %s", [value])


def test_whoever_stages_a_large_file_says_what_was_found(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "READ_AT_THE_DOOR", 10)
    received = bring(feed, cash_file(sequence=4, rows=["A1,GBP,1,2", "A2,GBP,1,x"]))
    assert received.file_id is not None
    statement = open_statement(kept_path(received.sha256), "cash")
    assert len(list(statement.rows())) == 1
    for _ in range(2):
        one = record_reading(
            file_id=received.file_id, at=MORNING, header=statement.header, counted=statement.counted,
            problems=statement.problems,
        )  # fmt: skip
        assert (one.state, one.counted, one.sequence) == ("partly", {"rows": 1, "refused": 1}, "4")
        assert (one.said, [problem["code"] for problem in one.problems]) == ({"rows": 2}, ["NUMBER_INVALID"])


def test_a_large_file_that_turns_out_cut_is_refused_then(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "READ_AT_THE_DOOR", 10)
    received = bring(feed, cash_file())
    assert received.file_id is not None
    record_reading(file_id=received.file_id, at=MORNING, problem=FileProblem(FileCode.TRUNCATED, "It is cut."))
    assert (row().state, row().statement_date, anomalies()) == ("refused", THURSDAY, [("FILE_TRUNCATED", "R")])


def brought(name: str, content: bytes, source: str = "") -> str:
    received = receive_file(
        actor=make_principal(f"ops {name}", role="ops", rights=("work_break",)), at=MORNING, name=name, content=BytesIO(content),
        kind="cash", source=source,
    )  # fmt: skip
    assert received.file_id is not None, received.faults
    return FeedFile.objects.get(pk=received.file_id).source


def test_a_file_that_nobody_names_is_of_a_source_of_its_own_and_keeps_it() -> None:
    one, other = b"account,currency,amount\nA1,GBP,1\n", b"account,currency,amount\nA1,GBP,2\n"
    assert (brought("bank_a-20261119.csv", one), brought("bank_b.csv", other)) == ("file-bank-a", "file-bank-b")
    assert brought("whatever.csv", one) == "file-bank-a"  # the same bytes are the same word
    assert brought("c.csv", b"account,currency,amount\nA1,GBP,3\n", "BANK") == "BANK"
    assert brought("d.csv", b"account,currency,amount\nA1,GBP,3\n") == "BANK"
    said = b"#STATEMENT kind=cash source=NORTHBANK\naccount,currency,amount\nA1,GBP,4\n#TRAILER rows=1\n"
    assert brought("e.csv", said) == "NORTHBANK"
