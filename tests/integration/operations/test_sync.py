"""The page of the start of day: files taken in by hand, what is wrong with them, acceptance, rejects, putting away."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import CashBalance
from authorisation.models import AuthorisationRequest
from journal.models import Event, ProjectionInForce, Snapshot
from kernel.clock import utc_now
from kernel.ids import new_id
from operations.models import DayRun
from operations.selectors.openings import list_openings
from operations.services.set_picture_gate import set_picture_gate
from reconciliation.models import Intake
from reconciliation.services.work_intake import work_intake
from refdata.models import MarketDay
from tests.factories import make_market
from tests.factories.accounts import funded_account
from tests.factories.authorisation import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(tmp_path: Path, settings: Any) -> Client:
    settings.VAR_DIR = tmp_path
    funded_account("AC1")
    client = Client()
    client.force_login(person("keeper", rights=("work_break",)))
    return client


def bring(client: Client, *rows: str, kind: str = "cash") -> Any:
    text = "account,currency,amount\n" + "".join(f"{row}\n" for row in rows)
    file = SimpleUploadedFile("cash.csv", text.encode())
    answer = client.post("/sync/upload", {"kind": kind, "source": "BANK", "file": file})
    for intake_id in Intake.objects.filter(state="staged").values_list("id", flat=True):
        work_intake(intake_id=intake_id, at=utc_now())  # as the worker does that was asked
    return answer


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_clean_file_is_in_the_books_and_shown(client: Client) -> None:
    answer = bring(client, "AC1,GBP,1234.50")

    intake = Intake.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/sync/{intake.pk}")
    assert CashBalance.objects.get(account__code="AC1").settled == Decimal("1234.50")
    shown = text_of(client, f"/sync/{intake.pk}")
    assert "Nothing is wrong with it." in shown
    assert "1,234.5" in shown
    assert "cash.csv" in text_of(client, "/sync?part=1")


def test_what_differs_from_the_file_before_is_shown_and_comes_down(client: Client) -> None:
    bring(client, "AC1,GBP,900", "AC1,EUR,7")
    first = Intake.objects.get()
    assert "there is no difference to tell" in text_of(client, f"/sync/{first.pk}")
    assert re.search(r"\bAC1\b", text_of(client, f"/sync/{first.pk}/changes")) is None
    bring(client, "AC1,GBP,950", "AC1,USD,1234567.25")
    second = Intake.objects.exclude(pk=first.pk).get()
    shown = text_of(client, f"/sync/{second.pk}")
    assert "Difference to cash.csv" in shown
    assert "1 new · 1 changed · 1 gone · 0 the same" in shown
    assert shown.count("1,234,567.25") == 3  # after, unexplained, new
    assert shown.index("− gone") < shown.index("+ new") < shown.index("≠ changed")
    rows = [
        line for line in text_of(client, f"/sync/{second.pk}/changes").replace('"', "").splitlines() if "AC1" in line
    ]
    assert rows == ["gone,AC1 EUR,7,,,3", "new,AC1 USD,,1234567.25,3,", "changed,AC1 GBP,900,950,2,2"]


def test_a_file_with_bad_rows_is_explained_accepted_by_asking_and_its_rejects_come_down(client: Client) -> None:
    bring(client, "AC1,GBP,900", "NOBODY,GBP,7", "AC1,USD,abc")
    intake = Intake.objects.get()

    shown = text_of(client, f"/sync/{intake.pk}")
    assert "ACCOUNT_UNKNOWN" in shown
    assert "Accept without 2 rows" in shown
    rejects = text_of(client, f"/sync/{intake.pk}/rejects")
    assert "3,ACCOUNT_UNKNOWN,account,No account of ours has this name, or a declared alternate." in rejects.replace(
        '"', ""
    )
    assert "AC1,USD,abc" in rejects

    assert client.post(f"/sync/{intake.pk}/accept", {"reason": "Spoken to the bank."}).status_code == 302
    request = AuthorisationRequest.objects.get(kind="start_of_day")
    assert (request.subject_id, request.payload["refused"]) == (str(intake.pk), 2)
    assert "A second person is asked already." in text_of(client, f"/sync/{intake.pk}")

    assert client.post(f"/sync/{intake.pk}/cancel", {"reason": "The wrong one."}).status_code == 302
    assert "The wrong one." in text_of(client, f"/sync/{intake.pk}")


def test_a_file_that_cannot_be_read_says_why_above_the_form(client: Client) -> None:
    answer = client.post(
        "/sync/upload", {"kind": "cash", "source": "BANK", "file": SimpleUploadedFile("cash.csv", b"a,b\n1,2\n")}
    )

    assert answer.status_code == 400
    assert "FILE_CORRUPT" in answer.content.decode()
    assert client.post("/sync/upload", {"kind": "orders"}).status_code == 400
    assert Intake.objects.count() == 0


def test_who_decides_sees_and_takes_nothing_in(client: Client) -> None:
    client.force_login(person("checker", rights=("decide_break",)))

    assert "Your role may not take files in." in text_of(client, "/sync")
    assert bring(client, "AC1,GBP,1").status_code == 403
    client.force_login(person("dealer", rights=("enter_order",)))
    assert client.get("/sync").status_code == 403


def test_an_upload_is_followed_while_a_worker_takes_it_in_for_who_brought_it(client: Client) -> None:
    file = SimpleUploadedFile("cash.csv", b"account,currency,amount\nAC1,GBP,20\n")
    answer = client.post("/sync/upload", {"kind": "cash", "source": "BANK", "file": file})
    intake = Intake.objects.get()
    where = f"/sync/{intake.pk}"
    assert (answer["Location"], intake.state) == (where, "staged")
    assert 'hx-trigger="every 1s"' in text_of(client, where)
    part = {"HX-Request": "true"}
    assert "HX-Refresh" not in client.get(f"{where}?part=1", headers=part)
    assert work_intake(intake_id=intake.pk, at=utc_now()) is not None
    intake.refresh_from_db()
    assert (intake.state, intake.applied_by, intake.started_by) == ("applied", intake.started_by, intake.started_by)
    assert client.get(f"{where}?part=1", headers=part)["HX-Refresh"] == "true"
    told = Event.objects.get(kind="IntakeApplied")
    assert (told.actor, told.on_behalf_of) == ("process:start_of_day", intake.started_by)


def test_an_auditor_reads_everything_and_changes_nothing(client: Client) -> None:
    bring(client, "AC1,GBP,900", "NOBODY,GBP,7")
    intake = Intake.objects.get()
    auditor = Client()
    auditor.force_login(person("auditor", rights=("search_audit",)))
    assert "Your role may not take files in." in text_of(auditor, "/sync")
    assert "Your role may not work on reconciliation." in text_of(auditor, f"/sync/{intake.pk}")
    assert "NOBODY,GBP,7" in text_of(auditor, f"/sync/{intake.pk}/rejects")
    file = SimpleUploadedFile("cash.csv", b"account,currency,amount\nAC1,GBP,1\n")
    tried = [
        auditor.post("/sync/upload", {"kind": "cash", "source": "BANK", "file": file}),
        *(auditor.post(f"/sync/{intake.pk}/{what}", {"reason": "x"}) for what in ("accept", "cancel")),
    ]
    assert [answer.status_code for answer in tried] == [403, 403, 403]
    intake.refresh_from_db()
    assert (intake.state, Intake.objects.count(), AuthorisationRequest.objects.count()) == ("waiting", 1, 0)


def test_rows_left_out_are_looked_at_in_place_with_their_column_marked(client: Client) -> None:
    bring(client, "AC1,GBP,900", "NOBODY,GBP,7")
    intake = Intake.objects.get()
    shown = text_of(client, f"/sync/{intake.pk}/rejects?part=1")
    assert '<mark class="mono">account</mark>' in shown
    assert "NOBODY,GBP,7" in shown
    assert "first" not in shown  # all of them are here
    assert "1" in re.findall(
        r"<td class=\"num\">(\d+)</td>", text_of(client, "/sync?part=1")
    )  # what we count of an arrival


def test_a_refused_asking_stays_where_it_was_typed(client: Client) -> None:
    bring(client, "AC1,GBP,900", "NOBODY,GBP,7")
    intake = Intake.objects.get()
    part = {"HX-Request": "true"}
    for path in (f"/sync/{intake.pk}/accept", "/sync/gates/ask"):
        refused = client.post(path, {"reason": " ", "feed": "NONE"}, headers=part)
        assert refused.status_code in (400, 404, 409, 422), path
        assert refused["HX-Retarget"] == "#form-error", path
    done = client.post(f"/sync/{intake.pk}/cancel", {"reason": "sent in error"}, headers=part)
    assert (done.status_code, done["HX-Redirect"]) == (204, f"/sync/{intake.pk}")


def test_when_markets_open_and_what_a_restart_begins_from(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.selectors.restart.read_standing", lambda: None)
    shown = text_of(client, "/sync/restart")
    assert "Nobody says" in shown
    assert "a restart reads the whole journal" in shown
    assert "No day has begun or ended yet" in shown
    head = Event.objects.latest("position").position
    Snapshot.objects.create(
        projection="picture", version=7, position=head - 3, taken_at=utc_now(), body=b"{}", sha256=b"\x0a" * 32
    )
    ProjectionInForce.objects.create(name="picture", version=7, swapped_at=utc_now())
    DayRun.objects.create(
        id=new_id(), kind="end", place="XLON", day=utc_now().date(), started_by="process:test", created_at=utc_now(),
        updated_at=utc_now(), steps={"close": {"done": True}, "expire": {"sentence": "Two day orders are open."}},
    )  # fmt: skip
    monkeypatch.setattr("operations.selectors.restart.read_standing", lambda: (head - 1, True))
    shown = text_of(client, "/sync/restart?part=1")
    assert "3 events at most" in shown
    assert "1 behind" in shown
    assert "0a" * 32 in shown
    assert ">Equal</span>" in shown
    assert "1 of 9" in shown
    assert "Two day orders are open." in shown
    set_picture_gate(equal=False, comparison=None, at=utc_now())
    assert "Not proven" in text_of(client, "/sync/restart?part=1")


def test_a_market_is_shown_until_it_closes_and_then_from_its_next_opening(client: Client) -> None:
    market = make_market("XHKG", always_open=False)
    opens = datetime(2026, 11, 27, 8, tzinfo=UTC)
    for n in range(2):
        MarketDay.objects.create(
            market=market, date=(opens + timedelta(days=n)).date(), is_session=True, open_at=opens + timedelta(days=n),
            close_at=opens + timedelta(days=n, hours=8),
        )  # fmt: skip
    for at, expected in (
        (opens - timedelta(minutes=72), (False, opens, 4320.0)),
        (opens, (True, opens + timedelta(hours=8), 28800.0)),
        (opens + timedelta(hours=8), (False, opens + timedelta(days=1), 57600.0)),
    ):
        (one,) = list_openings(at=at)
        assert (one.is_open, one.moment, one.left_s) == expected
    assert list_openings(at=opens + timedelta(days=3)) == []
