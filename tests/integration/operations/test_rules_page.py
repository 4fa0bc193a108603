"""The rulebook's page: what each person sees, asking from its forms, and the effect a second person decides on."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from authorisation.models import AuthorisationRequest, User
from risk.models import ConductPolicy, Mandate, Restriction, Rule
from tests.factories import DeskWorld, make_desk, make_principal
from tests.factories.approvals import decide_as_shown
from tests.factories.conduct import lay_down, restrict

pytestmark = pytest.mark.django_db
RULE: dict[str, Any] = {
    "about": "rule",
    "code": "NO_LARGE",
    "title": "Large orders",
    "scope": "firm",
    "name": "",
    "verdict": "authorise",
    "sentence": "A large order needs a second person.",
    "source": "Policy 4",
    "reason": "Care",
    "owner": "compliance",
    "why": "because",
    "fact_1": "quantity",
    "op_1": "above",
    "values_1": "10k",
    "fact_2": "",
    "effective_from": "",
    "effective_until": "",
}


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def browser(world: DeskWorld, name: str, *rights: str) -> Client:
    """Signed in, somebody of that name who sees the desk, with the role rights given."""
    user = User.objects.filter(username=name).first()
    if user is None:
        make_principal(
            name, role=f"role of {name}", rights=rights, desks=(world.desk,), groups=(world.group,), trades=False
        )
        user = User.objects.get(username=name)
    client = Client()
    client.force_login(user)
    return client


def compliance(world: DeskWorld, who: str = "maker") -> Client:
    return browser(world, f"compliance-{who}", "ask_risk_change", "decide_risk_change", "see_restrictions")


def test_a_rule_is_asked_for_shown_with_its_effect_and_laid_down(world: DeskWorld) -> None:
    maker, checker = compliance(world), compliance(world, "checker")
    assert b"waits for a second person" in maker.post("/risk/rules/ask", RULE).content
    asked = AuthorisationRequest.objects.get()
    page = checker.get(f"/approvals/{asked.id}").content.decode()
    assert "Lay down rule NO_LARGE" in page
    assert "Quantity above 10000 units" in page
    decide_as_shown(checker, asked.id)
    rule = Rule.objects.get()
    assert (rule.code, rule.verdict) == ("NO_LARGE", "authorise")
    shown = maker.get("/risk/rules").content.decode()
    assert "NO_LARGE" in shown
    assert "Quantity above 10000 units" in shown
    assert 'value="NO_LARGE"' in maker.get("/risk/rules?rule=NO_LARGE").content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "is answered <b>authorise</b>"),
        ({"values_1": "many"}, "needs one number"),
        ({"fact_1": ""}, "would meet every order"),
        ({"scope": "account", "name": "NOBODY"}, "There is no account NOBODY"),
        ({"effective_from": "tomorrow"}, "Give date and time"),
        ({"code": "x"}, "3 to 40 capitals"),
    ],
)
def test_a_rule_is_looked_at_while_it_is_typed(world: DeskWorld, changes: dict[str, Any], said: str) -> None:
    assert said in compliance(world).post("/risk/rules/check", RULE | changes).content.decode()
    assert not AuthorisationRequest.objects.exists()


def test_who_may_not_see_restrictions_learns_nothing_of_them(world: DeskWorld) -> None:
    row = restrict(world)
    risk = browser(world, "risk", "ask_risk_change", "decide_risk_change")
    page = risk.get("/risk/rules").content.decode()
    assert "Restrictions are for compliance alone." in page
    for secret in (row.reference, "Nightjar", "takeover"):
        assert secret not in page
    shown = compliance(world, "checker").get("/risk/rules").content.decode()
    for told in (row.reference, "Nightjar", "takeover"):
        assert told in shown


def test_a_restriction_is_asked_for_and_its_reason_shown_to_compliance_alone(world: DeskWorld) -> None:
    given = {
        "instrument": "VOD.L", "list": "restricted", "scope": "firm", "sides": "both", "sweep": "list", "owner": "c",
        "source": "Project Nightjar", "reason": "takeover", "effective_from": "", "effective_until": "",
    }  # fmt: skip
    assert b"waits for a second person of compliance" in compliance(world).post("/risk/rules/restrict", given).content
    asked = AuthorisationRequest.objects.get()
    assert Restriction.objects.get().approved_at is None
    risk = browser(world, "decides", "decide_risk_change")
    page = risk.get(f"/approvals/{asked.id}").content.decode()
    assert "Put on the restricted list" in page
    assert "takeover" not in page + risk.get("/approvals?view=all").content.decode()
    answer = decide_as_shown(risk, asked.id)
    assert answer.status_code == 403
    checker = compliance(world, "checker")
    assert "takeover" in checker.get(f"/approvals/{asked.id}").content.decode()
    decide_as_shown(checker, asked.id)
    row = Restriction.objects.get()
    assert row.approved_at is not None
    ended = compliance(world).post(f"/risk/rules/restrictions/{row.id}/end", {"why": "announced"})
    assert b"waits" in ended.content


def test_mandates_and_marks_are_asked_for_from_their_forms(world: DeskWorld) -> None:
    maker = compliance(world)
    mandate = {
        "about": "mandate",
        "scope": "account",
        "name": world.account.code,
        "markets": "XLON",
        "owner": "c",
        "why": "w",
    }
    assert maker.post("/risk/rules/ask", mandate).status_code == 200
    marks = {field.name: getattr(ConductPolicy.objects.get(), field.name) for field in ConductPolicy._meta.fields}
    policy = {name: "" if value is None else value for name, value in marks.items()} | {
        "about": "policy", "basket_notional": "GBP 5m", "why": "w", "duplicate_window_s": "30",
    }  # fmt: skip
    assert maker.post("/risk/rules/ask", policy).status_code == 200
    assert list(AuthorisationRequest.objects.order_by("created_at").values_list("subject_type", flat=True)) == [
        "mandate", "policy",
    ]  # fmt: skip
    assert Mandate.objects.count() == 1


def test_without_the_right_the_page_says_so_and_asks_nothing(world: DeskWorld) -> None:
    lay_down(world)
    dealer = browser(world, "plain")
    assert "Your role may not ask for changes of rules." in dealer.get("/risk/rules").content.decode()
    assert dealer.post("/risk/rules/ask", RULE).status_code == 403
    assert dealer.post("/risk/rules/restrict", {}).status_code == 403
    ending = {"about": "rule", "action": "end", "code": "NO_LONDON", "why": "w"}
    assert dealer.post("/risk/rules/ask", ending).status_code == 403
