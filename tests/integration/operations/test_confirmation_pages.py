"""Confirmations on screen and by the API: clocks, what differs, acts with reasons beside the buttons, nobody else's rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from allocations.api import affirmed_in_time
from allocations.models import Confirmation, CounterpartyRecord
from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from operations.views import confirmations
from tests.factories import AT, DeskWorld, make_desk, make_principal
from tests.factories.allocations import DAY
from tests.factories.confirming import ConfirmingWorld, confirming_world, their_confirmation
from tests.factories.doors import issue_token, sign_in_as

pytestmark = pytest.mark.django_db


def person(name: str, world: DeskWorld, *rights: str) -> Principal:
    return make_principal(
        name, role=f"role of {name}", rights=rights, desks=(world.desk,), groups=(world.group,), trades=False
    )


def browser(actor: Principal) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in_as(actor)
    return client


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> ConfirmingWorld:
    """One matched, one mismatched, one that waits for theirs, and a record of nobody, looked at three days later."""
    for module in (affirmed_in_time, confirmations):
        monkeypatch.setattr(module, "utc_now", lambda: AT + timedelta(days=3))
    made = confirming_world((600, 300, 100))
    net = made.said[0].accounts[1].net
    assert net is not None
    made.hear(
        their_confirmation(made, 0),
        their_confirmation(made, 1, net=net + 1),
        their_confirmation(made, 2, ref="K-9", named=False, account="<b>STRANGER</b>"),
    )
    return made


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_list_shows_clocks_differences_and_what_pairs_with_nothing(world: ConfirmingWorld) -> None:
    ops = browser(person("r.one", world.desk, "work_post_trade"))
    shown = text(ops.get("/confirmations"))
    for words in (
        "C-1000-1",
        "matched",
        "mismatched",
        "late",
        "The net amount differs by 1 GBP",
        "K-9",
        "XLON",
        "Cut-offs",
    ):
        assert words in shown
    assert "&lt;b&gt;STRANGER&lt;/b&gt;" in shown
    assert shown.count('type="checkbox" name="ref"') == 1  # what one may affirm
    only = text(
        ops.get("/confirmations?view=mismatched&counterparty=T1&mic=XLON&account=c1-1&block=b-1&day=2026-11-20")
    )
    assert "C-1001-1" in only
    assert "C-1000-1" not in only
    assert "None that you may see" in text(ops.get("/confirmations?view=affirmed"))
    assert "T1" in text(ops.get("/confirmations?part=1"))
    assert ops.get("/confirmations?view=everything").status_code == 400
    assert ops.get("/confirmations?day=yesterday").status_code == 400
    assert "None that you may see" in text(ops.get("/confirmations?view=all&block=B-x"))

    other = make_desk("EQ2", symbol="BARC.L")
    dealer = browser(person("d.two", other, "enter_order"))
    theirs = text(dealer.get("/confirmations?view=all"))
    assert "C-1000-1" not in theirs
    assert "K-9" not in theirs
    assert "Your role may not work on confirmations." in theirs
    assert dealer.get("/confirmations/C-1000-1").status_code == 404
    assert dealer.post("/confirmations/C-1000-1/act", {"act": "affirm", "key": "k"}).status_code == 403


def test_one_is_affirmed_another_accepted_by_two_and_reasons_stand_beside_the_buttons(world: ConfirmingWorld) -> None:
    ops = browser(person("r.one", world.desk, "work_post_trade"))
    page = text(ops.get("/confirmations/c-1001-1"))
    for words in (
        "accept the difference instead",
        "290.35",
        "217.35",
        "218.35",
        "K-1",
        "mismatched",
        "C-1001-1 is mismatched, not rejected.",
    ):
        assert (words in page) == (words != "290.35")
    answer = ops.post(
        "/confirmations/C-1001-1/act",
        {"act": "accept", "key": "k1", "reason": "They bear it"},
        headers={"HX-Request": "true"},
    )
    assert "It waits for a second person" in text(answer)
    assert AuthorisationRequest.objects.get().subject_type == "confirmation_mismatch"
    assert ops.post("/confirmations/C-1000-1/act", {"act": "shred", "key": "k"}).status_code == 400
    refused = ops.post("/confirmations/C-1002-1/act", {"act": "affirm", "key": "k2"}, headers={"HX-Request": "true"})
    assert (refused.status_code, refused.headers["HX-Retarget"]) == (409, "#form-error")

    assert ops.post("/confirmations/affirm", {"ref": ["C-1000-1", "C-9-9"], "key": "k3"}).status_code == 404
    done = ops.post("/confirmations/affirm", {"ref": ["C-1000-1"], "key": "k3"}, follow=True)
    assert "C-1000-1 affirmed." in text(done)
    assert Confirmation.objects.get(ref="C-1000-1").state == "affirmed"
    assert "Affirmed in time" in text(done)
    record = CounterpartyRecord.objects.get(their_ref="K-9")
    paired = ops.post(
        "/confirmations/pair",
        {"record": record.pk, "ref": "C-1002-1", "reason": "known to them so", "key": "k4"},
        follow=True,
    )
    assert "K-9 is about C-1002-1." in text(paired)
    assert ops.post("/confirmations/pair", {"record": "x", "ref": "C-1002-1", "key": "k5"}).status_code == 400
    rejected = ops.post(
        "/confirmations/C-1002-1/act", {"act": "reject", "key": "k6", "reason": "Not our client"}, follow=True
    )
    assert "We rejected it: Not our client" in text(rejected)
    resent = ops.post("/confirmations/C-1002-1/act", {"act": "resend", "key": "k7", "reason": "as agreed"}, follow=True)
    assert "canceled" in text(resent)
    assert Confirmation.objects.get(ref="C-1002-2").state == "sent"


def test_files_and_rules_are_taken_from_the_page(world: ConfirmingWorld) -> None:
    ops = browser(person("r.one", world.desk, "work_post_trade"))
    assert ops.post("/confirmations/upload", {"counterparty": "T1"}).status_code == 400
    file = SimpleUploadedFile("k.csv", b"their_ref\nK-1\n")
    told = ops.post("/confirmations/upload", {"counterparty": "T1", "file": file}, follow=True)
    assert "0 lines are new, 0 were known, 1 could not be read. Line 1: The header lacks account" in text(told)
    noise = SimpleUploadedFile("k.bin", bytes(range(256)))
    told = ops.post("/confirmations/upload", {"counterparty": "T1", "file": noise}, follow=True)
    assert "k.bin was not taken in: The file is not UTF-8 text." in text(told)
    asked = ops.post(
        "/confirmations/rules",
        {"rule": "tolerance", "field": "net", "currency": "GBP", "amount": "0.05", "reason": "rounding", "key": "k"},
        follow=True,
    )
    assert "It waits for a second person: tolerance::net:GBP" in text(asked)


def test_the_share_affirmed_in_time_is_shown_by_counterparty_and_day_and_read_by_programs(
    world: ConfirmingWorld,
) -> None:
    ops, far = person("k.one", world.desk, "work_post_trade"), make_desk("EQ3", symbol="TSCO.L")
    issue_token(ops, "oms_ops")
    issue_token(person("k.two", far, "work_post_trade"), "oms_far")
    past, day = AT + timedelta(days=1), DAY
    Confirmation.objects.filter(ref="C-1000-1").update(
        state="affirmed", affirm_by=past, affirmed_at=past - timedelta(hours=1), affirmed_by="user:1"
    )
    Confirmation.objects.filter(ref="C-1001-1").update(affirm_by=past)

    def call(query: str = "", token: str = "oms_ops") -> Any:
        return Client().get(f"/api/v1/affirmed-in-time{query}", headers={"Authorization": f"Bearer {token}"})

    told = call().json()
    half = {"in_time": 1, "due": 2, "percent": "50"}
    assert told["whole"] == half
    assert told["counterparties"] == [{"counterparty": "T1", **half}]
    assert told["days"] == [{"trade_date": day.isoformat(), **half}]
    (row,) = told["rows"]
    assert (row["mic"], row["currency"], row["value_in_time"], row["value_percent"]) == (
        "XLON",
        "GBP",
        "434.7",
        "66.67",
    )
    assert call(f"?first={day}&last={day}").json()["whole"] == half
    assert call(f"?last={day - timedelta(days=1)}").json()["rows"] == []
    assert call(token="oms_far").json()["rows"] == []
    assert call("?first=2026-01-01&last=2025-12-31").status_code == 400
    assert call("?first=2024-01-01&last=2026-01-01").status_code == 400
    assert call("?first=tomorrow").status_code == 400
    shown = text(browser(ops).get("/confirmations"))
    assert "Affirmed in time: 50.00% of 2" in shown
    assert ">any other</th><td>Buy side</td><td>FIX</td><td>no</td>" in shown


def test_programs_read_and_affirm_what_their_owner_may(world: ConfirmingWorld) -> None:
    ops, other = person("r.one", world.desk, "work_post_trade"), make_desk("EQ2", symbol="BARC.L")
    stranger = person("r.two", other, "work_post_trade")
    issue_token(ops, "oms_ops")
    issue_token(stranger, "oms_far")

    def call(path: str = "", body: dict[str, Any] | None = None, *, token: str = "oms_ops", key: str = "k") -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        if body is None:
            return Client().get(f"/api/v1/confirmations{path}", headers=headers)
        headers["Idempotency-Key"] = key
        return Client().post(f"/api/v1/confirmations{path}", body, content_type="application/json", headers=headers)

    listed = call("?view=matched").json()["confirmations"]
    assert [(one["ref"], one["state"], one["net"], one["differences"]) for one in listed] == [
        ("C-1000-1", "matched", "434.7", [])
    ]
    pk = listed[0]["id"]
    assert call("?view=matched", token="oms_far").json() == {"confirmations": []}
    assert call(f"/{pk}", token="oms_far").status_code == 404
    whole = call(f"/{pk}").json()
    assert {
        "field": "quantity",
        "ours": "600",
        "theirs": "600",
        "difference": None,
        "allowed": None,
        "differs": False,
    } in whole["fields_of_both"]
    assert [one["ref"] for one in whole["records"]] == ["K-0"]
    assert call("?view=nonsense").status_code == 400
    assert call("?colour=red").status_code == 400
    assert call(f"/{pk}/affirm", {"reasons": "x"}).status_code == 400
    done = call(f"/{pk}/affirm", {})
    assert (done.status_code, done.json()["sentence"], done.json()["confirmation"]["state"]) == (
        200,
        "C-1000-1 affirmed.",
        "affirmed",
    )
    assert call(f"/{pk}/affirm", {}).headers["Idempotency-Replayed"] == "true"
    assert call(f"/{pk}/reject", {"reason": "late"}, key="k2").status_code == 409
    other_pk = str(Confirmation.objects.get(ref="C-1001-1").id)
    assert call(f"/{other_pk}/reject", {"reason": "price"}, key="k3").json()["confirmation"]["state"] == "rejected"
