"""Files arrive in a folder: only complete ones are taken, each once, whoever dies; nothing outside the folder is reached."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kernel.clock import utc_now
from reconciliation.models import Feed, FeedFile
from reconciliation.services import collect_files as collecting_files
from reconciliation.services.collect_files import collect_files
from reconciliation.transports.folder import COMPANIONS, STILL, FolderTransport
from tests.factories.feeds import THURSDAY, anomalies, make_calendar, make_feed

pytestmark = pytest.mark.django_db
LATER = STILL + timedelta(seconds=1)


@pytest.fixture
def place(own_place: Path) -> Path:
    make_calendar()
    make_feed(resend="newest")
    place = own_place / "incoming" / "bank"
    place.mkdir(parents=True)
    return place


def look(after: timedelta = LATER) -> int:
    """Files bear the machine's time, so looks are relative to it; the day of the file does not matter to a folder."""
    return collect_files(at=utc_now() + after)


def lying(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if not path.is_dir())


def undated(amount: int = 1) -> bytes:
    """A sound file that does not say its day, so that the machine's clock has no say in it."""
    return b"account,currency,amount\nA1,GBP,%d\n" % amount


@pytest.fixture(autouse=True)
def any_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The calendar of these tests ends in 2026; the feed's days are judged elsewhere (test_receive_file)."""
    monkeypatch.setattr("reconciliation.services.receive_file.business_days", lambda feed, around: [THURSDAY])


def test_a_complete_file_is_taken_and_put_away(place: Path) -> None:
    (place / "cash.csv").write_bytes(undated())
    assert look(timedelta(0)) == 0  # still being written, for all we know
    assert (look(), look()) == (1, 0)
    assert lying(place) == ["done/cash.csv"]
    assert (FeedFile.objects.get().state, FeedFile.objects.get().received_by) == ("read", "process:feeds")


@pytest.mark.parametrize(
    "name", ["cash.csv.part", "cash.csv.tmp", ".cash.csv", "cash.csv.filepart", "cash.csv.manifest"]
)
def test_what_is_being_written_is_passed_over(place: Path, name: str) -> None:
    (place / name).write_bytes(undated())
    assert (look(), lying(place)) == (0, [name])


def test_a_file_that_grows_between_two_looks_is_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place / "cash.csv"
    path.write_bytes(undated())

    def grow(_: float) -> None:
        with path.open("ab") as file:
            file.write(b"A2,GBP,1\n")

    monkeypatch.setattr("reconciliation.transports.folder.time.sleep", grow)
    assert (look(), lying(place)) == (0, ["cash.csv"])


def test_a_refused_file_is_put_beside(place: Path) -> None:
    (place / "cash.csv").write_bytes(b"\x00")
    assert (look(), lying(place)) == (1, ["refused/cash.csv"])
    (place / "cash.csv").write_bytes(b"\x00\x00")
    assert (look(), lying(place)) == (1, ["refused/cash.csv", "refused/cash.csv.2"])
    assert anomalies() == [("FILE_CORRUPT", "R")] * 2


def test_a_link_a_directory_and_a_strange_name_are_put_aside_unread(place: Path, own_place: Path) -> None:
    secret = own_place / "secret"
    secret.write_bytes(undated())
    (place / "cash_link.csv").symlink_to(secret)
    (place / "cash\n.csv").write_bytes(undated())
    (place / "cash_dir").mkdir()
    os.mkfifo(place / "cash_pipe")
    assert (look(), look()) == (4, 0)
    assert lying(place) == ["refused/cash\n.csv", "refused/cash_link.csv", "refused/cash_pipe"]
    assert (FeedFile.objects.count(), anomalies()) == (0, [("FILE_UNEXPECTED", "R")] * 4)
    assert secret.exists()


def test_a_link_put_in_place_of_a_file_is_not_followed(place: Path, own_place: Path) -> None:
    secret = own_place / "secret"
    secret.write_bytes(undated())
    road = FolderTransport(place)
    (place / "taking" / "cash.csv").symlink_to(secret)
    with pytest.raises(OSError, match="symbolic"), road.fetch("cash.csv"):
        raise AssertionError("it was opened")


def test_whose_file_it_is_is_never_guessed(place: Path) -> None:
    (place / "prices.csv").write_bytes(undated())
    make_feed(code="BANK-CASH-2", pattern="*cash_usd*")
    (place / "cash_usd.csv").write_bytes(undated())
    assert (look(), lying(place)) == (2, ["refused/cash_usd.csv", "refused/prices.csv"])
    assert (FeedFile.objects.count(), anomalies()) == (0, [("FILE_UNEXPECTED", "R")] * 2)


def test_a_manifest_travels_with_its_file(place: Path) -> None:
    (place / "cash.csv").write_bytes(undated())
    (place / "cash.csv.manifest").write_bytes(b'{"rows": 2}')
    look()
    assert lying(place) == ["refused/cash.csv", "refused/cash.csv.manifest"]
    assert anomalies() == [("FILE_TOTALS_DIFFER", "R")]


def test_a_signature_is_waited_for(place: Path, own_place: Path) -> None:
    key = Ed25519PrivateKey.generate()
    Feed.objects.update(signature_key="bank.pem")
    keys = own_place / "keys" / "feeds"
    keys.mkdir(parents=True)
    (keys / "bank.pem").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (place / "cash.csv").write_bytes(undated())
    assert look() == 0
    digest = hashlib.sha256(undated()).hexdigest().encode()
    (place / "cash.csv.sig").write_bytes(key.sign(digest))
    assert (look(), lying(place)) == (1, ["done/cash.csv", "done/cash.csv.sig"])
    (place / "cash2.csv").write_bytes(undated(2))
    assert (look(), look(COMPANIONS + LATER)) == (0, 1)
    assert anomalies() == [("FILE_SIGNATURE", "R")]


def test_what_somebody_died_over_is_taken_first_and_once(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "cash.csv").write_bytes(undated())
    monkeypatch.setattr(collecting_files, "crash_point", _die_at("feed_file.received"))
    with pytest.raises(KeyboardInterrupt):
        look()
    assert (lying(place), FeedFile.objects.count()) == (["taking/cash.csv"], 1)
    monkeypatch.setattr(collecting_files, "crash_point", lambda name: None)
    assert (look(), lying(place), FeedFile.objects.count(), anomalies()) == (1, ["done/cash.csv"], 1, [])


def _die_at(point: str) -> object:
    def die(name: str) -> None:
        if name == point:
            raise KeyboardInterrupt

    return die
