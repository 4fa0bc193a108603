"""The page of settlement and its API: who sees which rows, what a custodian's file does, and what can be asked from it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.selectors.forecast import forecast_cash
from accounts.services.deposit import Deposit, deposit
from allocations.models import PenaltyRate, SettlementInstruction, StandingInstruction
from allocations.selectors.penalties import penalty_of, rates_in_force, sum_penalties
from allocations.selectors.settlement import visible_instructions
from allocations.services.instruct_settlements import instruct_settlements
from authorisation.domain.principal import process_principal
from authorisation.models import AuthorisationRequest, User
from authorisation.selectors import get_request
from journal.models import Event
from operations.approving import KINDS
from refdata.models import ReferencePrice
from tests.factories import AT, make_desk, make_principal
from tests.factories.accounts import SEED, funded_account
from tests.factories.doors import issue_token
from tests.integration.accounts.test_settle_trades import settle
from tests.integration.accounts.test_statements import bought
from tests.integration.allocations.test_settlement import HEADER, World, booked, line, say

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.VAR_DIR = tmp_path
    made = booked()
    instruct_settlements(at=AT)
    return made


def operations(world: World, name: str = "ops") -> Client:
    actor = make_principal(
        name, role=name, rights=("work_post_trade",), desks=(world.desk.desk,), groups=(world.desk.group,)
    )
    return client_of(actor.user_id)


def client_of(user_id: int) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=user_id), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_ladder_the_list_and_one_instruction_are_rows(world: World) -> None:
    client = operations(world)
    page = client.get("/settlement").content.decode()
    assert 'href="/settlement?day=2026-11-24&amp;currency=GBP&amp;state=instructed">2</a>' in page
    assert "−726.67" in page
    assert "S1000-1" in page
    assert "HARBGB2L" not in page  # the custodian of this world is another
    assert "CUSTGB2L" in page
    narrowed = client.get("/settlement?state=settled").content.decode()
    assert "None like that." in narrowed
    part = client.get("/settlement?part=1").content.decode()
    assert "2026-11-24" in part
    assert "<h1>" not in part
    one = client.get("/settlement/S1000-1").content.decode()
    assert "20261120-" in one
    assert client.get("/settlement?day=soon").status_code == 400
    other = make_desk("EQ9", symbol="BARC.L", last="240")
    stranger = client_of(other.dealer.user_id)
    seen = stranger.get("/settlement").content.decode()
    assert "S1000-1" not in seen
    assert "Nothing is to settle." in seen
    assert stranger.get("/settlement/S1000-1").status_code == 404


def test_a_file_is_taken_in_once_and_only_by_whom_it_is_for(world: World) -> None:
    client = operations(world)
    content = (HEADER + line("S1000-1", "settled", "Z1", "1000", "724.50")).encode()

    def bring(who: Client) -> int:
        file = SimpleUploadedFile("a.csv", content)
        return who.post("/settlement/file", {"source": "CUSTGB2L", "file": file}).status_code

    assert bring(client_of(world.desk.dealer.user_id)) == 403
    assert world.row().state == "instructed"
    assert (bring(client), bring(client)) == (302, 302)
    assert world.row().state == "settled"
    assert "Z1" in client.get("/settlement/S1000-1").content.decode()
    bad = client.post("/settlement/file", {"source": "X", "file": SimpleUploadedFile("a.xml", b"<a/>")})
    assert bad.status_code in (409, 422)
    assert "FILE_WITHOUT_RECORDS" in bad.content.decode()


def test_where_an_account_settles_is_asked_from_the_page(world: World) -> None:
    client = operations(world)
    typed = {
        "account": world.desk.account.code, "currency": "GBP", "agent": "NEWCGB2L", "place": "CRSTGB22", "key": "k1",
        "safekeeping_account": "S-1", "cash_account": "C-1", "effective_from": "2026-12-01", "reason": "New custodian",
    }  # fmt: skip
    wrong = client.post("/settlement/standing", typed | {"agent": "NOT A BIC"})
    assert wrong.status_code == 400
    assert "New custodian" in wrong.content.decode()
    assert client.post("/settlement/standing", typed).status_code == 302
    assert AuthorisationRequest.objects.get().payload["terms"]["agent"] == "NEWCGB2L"
    assert StandingInstruction.objects.filter(agent="NEWCGB2L").count() == 0


def test_the_api_tells_the_same_and_takes_files(world: World) -> None:
    actor = make_principal(
        "svc", role="svc", rights=("work_post_trade",), desks=(world.desk.desk,), groups=(world.desk.group,)
    )
    issue_token(actor, "settlement-token")
    client = Client(headers={"Authorization": "Bearer settlement-token"})
    listed = client.get("/api/v1/settlement-instructions?state=instructed").json()["instructions"]
    assert [(row["ref"], row["amount"], row["agent"]) for row in listed] == [
        ("S1000-1", "724.5", "CUSTGB2L"), ("S1001-1", "2.17", "CUSTGB2L")
    ]  # fmt: skip
    body = {"custodian": "CUSTGB2L", "content": HEADER + line("S1000-1", "pending", code="LACK")}
    headers = {"Idempotency-Key": "f1"}
    for _again in range(2):
        answer = client.post("/api/v1/settlement-files", body, content_type="application/json", headers=headers)
        assert (answer.status_code, answer.json()["moved"]) == (201, 1)
    one = client.get("/api/v1/settlement-instructions/S1000-1").json()
    assert (one["state"], [said["reason_code"] for said in one["statuses"]]) == ("pending", ["LACK"])
    assert client.get("/api/v1/settlement-instructions?state=nothing").status_code == 400
    cash = client.get("/api/v1/cash-forecast").json()["cash"]
    assert [(one["currency"], one["settled"]) for one in cash] == [("GBP", "200000")]
    assert SettlementInstruction.objects.count() == 2


def test_a_refused_instruction_is_sent_again_from_its_page_and_one_that_waits_is_held_by_api(world: World) -> None:
    client = operations(world)
    assert "only what its custodian refused" in client.get("/settlement/S1000-1").content.decode()
    say(line("S1000-1", "rejected", code="SAFE"))
    refused = client.post("/settlement/S1000-1/act", {"act": "again", "reason": " ", "key": "a1"})
    assert (refused.status_code, "REASON_INVALID" in refused.content.decode()) == (400, True)
    assert client.post("/settlement/S1000-1/act", {"act": "vanish", "reason": "x", "key": "a1"}).status_code == 400
    done = client.post(
        "/settlement/S1000-1/act", {"act": "again", "reason": "Account corrected", "key": "a1"}, follow=True
    )
    page = done.content.decode()
    assert "S1000-2 takes the place of S1000-1" in page
    assert "sent again as S1000-2: Account corrected" in page

    actor = make_principal(
        "svc", role="svc", rights=("work_post_trade",), desks=(world.desk.desk,), groups=(world.desk.group,)
    )
    issue_token(actor, "settlement-token")
    api = Client(headers={"Authorization": "Bearer settlement-token"})

    def post(act: str, key: str) -> tuple[int, Any]:
        answer = api.post(
            f"/api/v1/settlement-instructions/S1000-2/{act}", {"reason": "test"}, content_type="application/json",
            headers={"Idempotency-Key": key},
        )  # fmt: skip
        return answer.status_code, answer.json()

    assert [post("hold", "h1")[0], post("hold", "h1")[0], post("hold", "h2")[0]] == [200, 200, 422]
    assert post("send-again", "x1")[1]["code"] == "INSTRUCTION_NOT_REFUSED"
    listed = api.get("/api/v1/settlement-instructions?held=yes&mic=XLON").json()
    assert [(row["ref"], row["held_by"]) for row in listed["instructions"]] == [("S1000-2", "svc")]
    assert listed["next"] is None
    assert "held back by svc" in client.get("/settlement?held=yes").content.decode()
    assert post("release", "r1")[1]["instruction"]["held_by"] is None
    for wrong in ("age=soon", "held=no", "after=x", "by=colour"):
        where = "cash-forecast" if wrong.startswith("by") else "settlement-instructions"
        assert api.get(f"/api/v1/{where}?{wrong}").status_code == 400
    lines = api.get("/api/v1/cash-forecast?by=custodian").json()["instructed"]
    assert [(one["custodian"], one["net"]) for one in lines] == [(None, "-724.5"), ("CUSTGB2L", "-2.17")]


def test_the_list_leaves_as_a_file_by_its_filter_and_who_took_it_is_kept(world: World) -> None:
    client = operations(world)
    rows = client.get("/settlement/export?form=csv&account=ACC-2").content.decode("utf-8-sig").splitlines()
    assert [row.split(",")[0] for row in rows if row.startswith("S100")] == ["S1001-1"]
    told = Event.objects.get(kind="RecordsExported").payload
    assert (told["what"], told["filter"], told["rows"]) == ("Settlement instructions", {"account": "ACC-2"}, 1)
    assert client.get("/settlement/export?form=csv&age=x").status_code == 400


def test_when_instructions_leave_is_asked_from_the_page(world: World) -> None:
    client = operations(world)
    typed = {
        "mic": "xlon",
        "account": "",
        "leaves": "on_affirmation",
        "valid_from": "2026-12-01",
        "reason": "Test",
        "key": "k1",
    }
    wrong = client.post("/settlement/rule", typed | {"valid_from": ""})
    assert (wrong.status_code, "RULE_INVALID" in wrong.content.decode()) == (400, True)
    assert client.post("/settlement/rule", typed).status_code == 302
    assert AuthorisationRequest.objects.get().payload["scope"] == {"account": "", "mic": "XLON"}


def test_cash_to_come_is_by_date_with_fails_apart_and_settlements_taken_off() -> None:
    account, other = funded_account(), funded_account("AC2")
    today = date(2026, 11, 25)
    bought(account, "100", "-200")  # was to settle on the 24th
    bought(account, "-10", "30", settlement_date=date(2026, 11, 26))
    bought(other, "1", "-5", settlement_date=date(2026, 11, 26))
    settle(account, ("40", "-80"))
    deposit(actor=SEED, at=AT, business_date=today, deposits=[Deposit(other.id, D(7), currency="USD")])
    both = forecast_cash([account.id, other.id], today=today)
    assert [(one.currency, one.settled, one.lowest) for one in both] == [
        ("GBP", D(1920), D(1800)), ("USD", D(7), D(7))
    ]  # fmt: skip
    assert [(d.day, d.receipts, d.payments, d.expected, d.overdue) for d in both[0].days] == [
        (date(2026, 11, 24), D(0), D(-120), D(1800), True), (date(2026, 11, 26), D(30), D(-5), D(1825), False)
    ]  # fmt: skip


def test_a_rate_of_the_house_is_two_people_s_and_fails_are_estimated_by_it_for_both_sides(world: World) -> None:
    client = operations(world)
    asked = {
        "rule": "penalty_rate",
        "mic": "xlon",
        "asset_class": "equity",
        "bps": "10",
        "source": "custodian's list",
        "reason": "r",
    }
    wrong = client.post("/settlement/rule", asked | {"valid_from": "soon", "key": "k0"})
    assert (wrong.status_code, "RULE_INVALID" in wrong.content.decode()) == (400, True)
    done = client.post("/settlement/rule", asked | {"valid_from": "2026-11-01", "key": "k1"})
    assert (done.status_code, PenaltyRate.objects.count()) == (302, 0)
    row = AuthorisationRequest.objects.get(subject_type="penalty_rate")
    who = make_principal(
        "decides", role="compliance", rights=("decide_post_trade",), trades=False, persona="compliance"
    )
    kind = KINDS[row.kind]
    assert kind.describe is not None
    assert [one.then for one in kind.describe(who, get_request(who, row.id, at=AT).facts, AT).fields][:2] == [
        "10",
        "2026-11-01",
    ]
    kind.decide(
        actor=who,
        at=AT,
        authorisation_id=row.id,
        verdict="approve",
        reason_code="OTHER",
        reason="seen",
        payload_hash=row.payload_hash,
    )
    assert "custodian&#x27;s list" in client.get("/settlement").content.decode()

    first, second = SettlementInstruction.objects.order_by("ref")
    late = AT + timedelta(days=5)  # the Wednesday after: one settlement day late
    say(line(second.ref, "pending", "P1", code="LACK"), at=late)
    actor = process_principal("test")
    seen = {one.ref: one for one in visible_instructions(actor)}
    price = ReferencePrice.objects.get(listing=world.desk.listing).last
    assert price == D("72.50")
    amounts = {ref: penalty_of(one, at=late, rates=rates_in_force()) for ref, one in seen.items()}
    worth = {one.ref: round(one.qty * D("0.725") / 1000, 2) for one in (first, second)}
    assert {ref: found.amount for ref, found in amounts.items() if found} == {
        first.ref: worth[first.ref],
        second.ref: -worth[second.ref],
    }
    (line_of,) = sum_penalties(actor, at=late)
    assert (line_of.to_get, line_of.to_pay, line_of.count, line_of.unknown) == (
        worth[first.ref],
        -worth[second.ref],
        2,
        0,
    )
    assert [penalty_of(one, at=AT, rates=rates_in_force()) for one in seen.values()] == [None, None]
    issue_token(
        make_principal(
            "api", role="api", rights=("work_post_trade",), desks=(world.desk.desk,), groups=(world.desk.group,)
        ),
        "pen",
    )
    api = Client(headers={"Authorization": "Bearer pen"})
    assert isinstance(api.get("/api/v1/cash-forecast").json()["penalties"], list)
    assert "penalty_estimate" in api.get(f"/api/v1/settlement-instructions/{first.ref}").json()
