"""Named reports on the page, by the API and from the command line: the same rows, links that lead, refusals that say why."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from authorisation.models import ApiKey
from journal.models import Event
from kernel.errors import Invalid
from oms_project.house import report as verb
from oms_project.house.cli import parser
from reconciliation.models import Break
from reconciliation.reports import REPORTS
from tests.factories import DeskWorld, make_desk
from tests.factories.compared import make_breaks, make_file, make_run
from tests.factories.doors import issue_token, sign_in_as

pytestmark = pytest.mark.django_db
DAY = "2026-11-20"


@pytest.fixture
def world() -> DeskWorld:
    make_desk("EQ2")
    return make_desk("EQ1")


@pytest.fixture
def dealer(world: DeskWorld) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in_as(world.dealer)
    return client


@pytest.fixture
def found(world: DeskWorld) -> list[Break]:
    """Two confirmations of the dealer's account that are no fills of ours, and one of nobody."""
    run = make_run("executions", source="BROKER", file=make_file(source="BROKER"))
    ours = make_breaks(
        run, 2, account_id=world.account.pk, theirs={"last_qty": "1200", "last_px": "72.5", "side": "buy"}
    )
    make_breaks(run)
    return ours


def token(world: DeskWorld, scopes: list[str] | None = None) -> str:
    secret = f"oms_{world.dealer.username}"
    issue_token(world.dealer, secret)
    ApiKey.objects.filter(digest=hashlib.sha256(secret.encode()).hexdigest()).update(scopes=scopes)
    return secret


def call(secret: str, path: str = "") -> Any:
    return Client().get(f"/api/v1/reports{path}", headers={"Authorization": f"Bearer {secret}"})


def test_the_page_shows_the_question_rows_and_where_they_lead(dealer: Client, found: list[Break]) -> None:
    assert all(one.question in dealer.get("/recon/reports").content.decode() for one in REPORTS.values())
    shown = dealer.get(f"/recon/reports/fills?date={DAY}").content.decode()
    assert REPORTS["fills"].question in shown
    assert [f'href="/b/{one.ref}"' in shown for one in found] == [True, True]
    assert (shown.count("BRK-"), "Missing with us 2" in shown, "1,200" in shown) == (4, True, True)
    assert f'href="/recon/{found[0].first_run_id}"' in shown
    assert "Nothing of that kind" in dealer.get(f"/recon/reports/fills?date={DAY}&word=equal").content.decode()
    assert "figures of the whole firm" in dealer.get(f"/recon/reports/expected?date={DAY}").content.decode()


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        ("fills?date=20-11", 400, "A day as 2026-11-25."),
        ("fills?offset=-1", 400, "Not a next of ours."),
        ("fills?batch=nonsense", 404, "A batch is named by the id"),
        ("fills?outage=SIM1", 404, "There is no such outage"),
        ("expected?outage=SIM1:2", 400, "is not asked for by outage"),
        ("fills?word=nonsense", 400, "Rows of Fills and confirmations are one of"),
        ("nonsense", 404, "There is no report of that name"),
    ],
)
def test_what_cannot_be_asked_is_said_on_the_page(dealer: Client, asked: str, status: int, says: str) -> None:
    answer = dealer.get(f"/recon/reports/{asked}")
    assert (answer.status_code, says in answer.content.decode()) == (status, True)


def test_the_file_has_the_same_rows_and_is_on_record(dealer: Client, found: list[Break]) -> None:
    body = dealer.get(f"/recon/reports/fills/export?date={DAY}&form=csv").content
    lines = list(csv.reader(io.StringIO(body.decode())))
    assert [line[14] for line in lines if line and line[0] == "missing_internal"] == [one.ref for one in found]
    told = Event.objects.get(kind="RecordsExported").payload
    assert (told["rows"], told["filter"]["date"], told["sha256"]) == (2, DAY, hashlib.sha256(body).hexdigest())


def test_programs_read_the_same_in_pages_or_as_a_file(world: DeskWorld, found: list[Break]) -> None:
    secret = token(world)
    listed = call(secret).json()["reports"]
    assert [(one["name"], one["by"]) for one in listed] == [(one.name, list(one.by)) for one in REPORTS.values()]
    told = call(secret, f"/fills?date={DAY}").json()
    assert (told["counts"], told["next"], told["date"], told["left_out"]) == ({"missing_internal": 2}, None, DAY, False)
    assert [(row["break"], row["their_qty"]) for row in told["rows"]] == [(one.ref, "1200") for one in found]
    batch = call(secret, f"/fills?batch={found[0].first_run_id}").json()
    assert (batch["rows"], batch["date"]) == (told["rows"], DAY)
    answer = call(secret, f"/fills?date={DAY}&form=csv")
    assert answer.headers["X-Content-SHA256"] == hashlib.sha256(answer.content).hexdigest()
    assert answer.content.decode().count("missing_internal") == 2
    assert Event.objects.filter(kind="RecordsExported").count() == 1
    wrong = [call(secret, path).status_code for path in ("/nonsense", "/fills?form=pdf", "/fills?x=1", "/fills?date=x")]
    assert wrong == [404, 400, 400, 400]


def test_a_key_that_was_narrowed_to_orders_reads_no_reports(world: DeskWorld) -> None:
    secret = token(world, ["orders:read"])
    assert (call(secret).status_code, call(secret, "/fills").status_code) == (403, 403)


def test_the_verb_answers_the_same_for_the_whole_house(found: list[Break], tmp_path: Path) -> None:
    def answer(*words: str, out: Path | None = None) -> str:
        return verb._answer(parser().parse_args(["report", *words]), out)

    assert [line.split()[0] for line in answer().splitlines()] == list(REPORTS)
    told = json.loads(answer("fills", "--date", DAY, "--json"))
    assert (told["counts"], [row["break"] for row in told["rows"]]) == (
        {"missing_internal": 3},
        ["BRK-000001", "BRK-000002", "BRK-000003"],
    )
    assert answer("fills", "--date", DAY).splitlines()[-1] == f"Fills and confirmations of {DAY}: 3 missing_internal."
    out = tmp_path / "fills.csv"
    assert " 3 rows " in answer("fills", "--date", DAY, "--csv", str(out), out=out)
    assert out.read_text().count("missing_internal") == 3
    with pytest.raises(Invalid):
        answer("expected", "--outage", "SIM1:2")
