"""The rules of reconciliation on screen: as they stand and stood, asked for and not changed, names for who sees the firm."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from kernel.clock import utc_now
from kernel.ids import new_id
from operations.selectors.recon.rules_page import get_rules_page
from reconciliation.models import BreakPolicy, OutsideName
from reconciliation.selectors.rule_changes import standing_feed
from tests.factories import DeskWorld, make_desk, make_principal
from tests.factories.compared import make_breaks, make_run
from tests.factories.doors import sign_in_as
from tests.factories.feeds import make_feed

pytestmark = pytest.mark.django_db
POLICY = {
    "rule": "policy",
    "kind": "executions",
    "category": "missing_internal",
    "effect": "nothing",
    "above": "0",
    "escalate_after_s": "900",
}
KEY = "policy:executions:missing_internal"


@pytest.fixture
def world() -> DeskWorld:
    return make_desk("EQ1")


def person(name: str, world: DeskWorld, *rights: str) -> Principal:
    return make_principal(
        name, role=f"role of {name}", rights=rights, desks=(world.desk,), groups=(world.group,), trades=False
    )


def browser(actor: Principal) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in_as(actor)
    return client


@pytest.fixture
def worker(world: DeskWorld) -> Client:
    return browser(person("r.one", world, "work_break"))


@pytest.fixture
def dealer(world: DeskWorld) -> Client:
    make_desk("EQ2")  # of which a dealer of EQ1 sees nothing
    return browser(person("d.one", world, "enter_order"))


def declare(ours: str = "ACME-7", *, version: int = 1, at: Any = None) -> OutsideName:
    return OutsideName.objects.create(
        source="BANK", what="account", theirs="77/1", ours=ours, version=version, event_id=new_id(),
        recorded_at=at or utc_now(),
    )  # fmt: skip


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


def ask(client: Client, key: str = "k", **changes: str) -> Any:
    return client.post(
        "/recon/rules/ask", {**POLICY, "reason": "Agreed", "key": key, **changes}, headers={"HX-Request": "true"}
    )


def test_what_is_asked_waits_is_linked_and_changes_nothing(worker: Client) -> None:
    told = text(ask(worker))
    request = AuthorisationRequest.objects.get(kind="recon_rules")
    assert str(request.pk) in told
    shown = text(worker.get("/recon/rules"))
    assert shown.count(f"/approvals?view=all&amp;id={request.pk}") == 2  # in the list of what waits, and in its line
    assert not BreakPolicy.objects.filter(version=2).exists()
    assert str(request.pk) in text(ask(worker))  # the same key: the same answer, no second request
    assert 'id="key-policy" value="k"' not in told  # the form goes on under a new one
    assert ask(worker, "k2").status_code == 409
    assert AuthorisationRequest.objects.count() == 1


def test_a_line_fills_its_form(worker: Client) -> None:
    shown = text(worker.get(f"/recon/rules?{urlencode({'edit': KEY})}"))
    form = shown.split('id="ask-policy"')[1].split("</form>")[0]
    assert '<option value="block_instrument" selected>' in form
    assert 'name="escalate_after_s" class="num" required inputmode="numeric" autocomplete="off" value="900"' in form
    assert "<details open>" not in text(worker.get("/recon/rules?edit=policy:of:nothing"))


def test_a_dry_run_says_what_the_change_would_open_and_keeps_nothing(worker: Client, world: DeskWorld) -> None:
    make_breaks(make_run(), 3, account_id=world.account.pk, instrument_id=new_id())
    told = text(worker.post("/recon/rules/check", POLICY))
    assert "<b>0</b> would agree" in told
    assert "<b>3</b> would stop nothing any more" in told
    assert "says so already" in text(worker.post("/recon/rules/check", {**POLICY, "effect": "block_instrument"}))
    wrong = text(worker.post("/recon/rules/check", {**POLICY, "above": "-1", "effect": "all"}))
    assert ("A number from zero on." in wrong, "One of nothing," in wrong) == (True, True)
    assert not AuthorisationRequest.objects.exists()


def test_a_dealer_reads_the_rules_and_is_told_why_not_to_ask(dealer: Client) -> None:
    declare()
    shown = text(dealer.get("/recon/rules"))
    assert "Block the account in the instrument" in shown
    assert shown.count('data-primary aria-disabled="true"') == 3
    assert "ACME-7" not in shown
    assert 'hx-post="/recon/rules/check"' not in shown
    assert (dealer.post("/recon/rules/check", POLICY).status_code, ask(dealer).status_code) == (403, 403)
    assert not AuthorisationRequest.objects.exists()


def test_what_waits_is_not_told_to_who_does_not_see_the_firm(worker: Client, dealer: Client) -> None:
    ask(worker, rule="name", source="BANK", what="account", theirs="77/1", ours="ACME-7")
    ask(worker, "k2")
    shown = text(dealer.get("/recon/rules"))
    assert ("waits for a second person" in shown.lower(), "ACME-7" in shown) == (False, False)
    assert "ACME-7" in text(worker.get("/recon/rules"))


def test_as_at_a_time_the_versions_of_then_stand_and_nothing_can_be_asked(worker: Client, world: DeskWorld) -> None:
    now = utc_now()
    declare(at=now - timedelta(days=2))
    declare("", version=2, at=now - timedelta(days=1))
    then = (now - timedelta(days=1, hours=12)).strftime("%Y-%m-%dT%H:%M:%S")
    assert "ACME-7" not in text(worker.get("/recon/rules"))
    shown = text(worker.get(f"/recon/rules?at={then}"))
    assert ("ACME-7" in shown, "go back to now" in shown) == (True, True)
    assert worker.get("/recon/rules?at=yesterday").status_code == 400
    actor = person("r.two", world, "decide_break")
    assert get_rules_page(actor, at=now - timedelta(days=900)).policies == []


def test_a_feed_is_shown_tried_and_asked_for(worker: Client) -> None:
    make_feed()
    shown = worker.get(f"/recon/rules?{urlencode({'edit': 'feed:BANK-CASH'})}").content.decode()
    assert ("bank/*cash*" in shown, 'value="Cash of the bank"' in shown, "Late after" in shown) == (True, True, True)
    typed = {"rule": "feed", "code": "BANK-CASH", **standing_feed("BANK-CASH")[1]}
    tried = worker.post("/recon/rules/check", {**typed, "due": "07:15"}).content.decode()
    assert ("07:15" in tried, "files of the last ten days" in tried, "Days without a file" in tried) == (
        True,
        True,
        True,
    )
    assert "One of free" in worker.post("/recon/rules/check", {**typed, "sequence": "x"}).content.decode()
    asked = worker.post("/recon/rules/ask", {**typed, "due": "07:15", "reason": "They moved.", "key": str(new_id())})
    assert (asked.status_code, AuthorisationRequest.objects.get().subject_id) == (302, "feed:BANK-CASH")
    assert "waits for a second person" in worker.get("/recon/rules").content.decode()
