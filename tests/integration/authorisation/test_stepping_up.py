"""Deciding wants a second factor of the last minutes: by policy, per session, lost with time, and never by a token."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from pyotp import TOTP

from authorisation.domain.principal import process_principal
from authorisation.domain.stepping_up import require_confirmed
from authorisation.models import Decision, Factor, RecoveryCode, Session, SignInFailures
from authorisation.permissions import require_administrator
from authorisation.selectors import find_api_key, get_principal
from authorisation.services.grant_access import grant_access
from authorisation.services.issue_api_key import issue_api_key
from authorisation.stepping_up import CONFIRMED_AT
from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import NotPermitted
from tests.factories.authorisation import AT, PASSWORD, desk, person, principal
from tests.integration.authorisation.test_requests import ask, decide
from tests.integration.authorisation.test_second_factor import PAGE, code_at, enrolled, half_in, kinds

pytestmark = pytest.mark.django_db
NEW = "/account/factors/new"
PART = {"HX-Request": "true"}


def in_by_password(username: str = "ada") -> Client:
    client = Client()
    client.post("/sign-in", {"username": username, "password": PASSWORD})
    return client


def in_by_code() -> Client:
    """Signed in by the code of the step before, so that the one of now is still good."""
    client = half_in()
    assert client.post("/sign-in/second", {"code": code_at(utc_now(), -1)}).status_code == 302
    return client


def test_signing_in_does_not_count_and_a_code_does_for_some_minutes(settings: Any) -> None:
    user = enrolled()
    client = in_by_code()
    assert client.get(NEW).status_code == 403
    before = client.cookies["oms"].value
    row = Session.objects.get()
    answer = client.post("/account/step-up", {"code": code_at(utc_now()), "next": NEW})
    assert (answer.status_code, answer.headers["Location"]) == (302, NEW)
    assert client.get(NEW).status_code == 200
    after = Session.objects.get()
    assert client.cookies["oms"].value != before
    assert (after.id, after.started_at) == (row.id, row.started_at)
    assert kinds(user)[-1] == "SteppedUp"
    session = client.session
    session[CONFIRMED_AT] = (utc_now() - settings.STEP_UP_FOR).isoformat()
    session.save()
    assert client.get(NEW).status_code == 403


def test_the_cookie_of_before_confirming_is_worth_nothing() -> None:
    enrolled()
    client = in_by_code()
    thief = Client()
    thief.cookies["oms"] = client.cookies["oms"].value
    client.post("/account/step-up", {"code": code_at(utc_now())})
    assert thief.get(PAGE).status_code == 302


@pytest.mark.parametrize("given", [{"code": "000000"}, {"password": PASSWORD}, {"key_answer": "{}"}, {}])
def test_what_is_not_the_second_factor_does_not_confirm(given: dict[str, str]) -> None:
    user = enrolled()
    client = in_by_code()
    assert client.post("/account/step-up", given).status_code == 422
    assert client.get(NEW).status_code == 403
    assert "SteppedUp" not in kinds(user)


def test_without_a_factor_the_password_confirms_and_locks_alike() -> None:
    person("ada")
    client = in_by_password()
    for _ in range(5):
        assert client.post("/account/step-up", {"password": "wrong"}).status_code == 422
    assert client.post("/account/step-up", {"password": PASSWORD}).status_code == 422
    SignInFailures.objects.all().delete()
    assert client.post("/account/step-up", {"password": PASSWORD, "next": NEW}).status_code == 302
    assert client.get(NEW).status_code == 200


def test_what_was_typed_is_kept_and_nothing_is_done_before() -> None:
    user = enrolled()
    factor_id = Factor.objects.get().id
    client = in_by_code()
    path = f"/account/factors/{factor_id}/remove"
    asked = client.post(path, {"note": 'lost "it" <b>'})
    assert asked.status_code == 403
    text = asked.content.decode()
    assert 'name="kept_name" value="note"' in text
    assert "lost &quot;it&quot; &lt;b&gt;" in text
    kept = {"next": path, "kept_name": "note", "kept_value": 'lost "it" <b>'}
    wrong = client.post("/account/step-up", {"code": "000000", **kept})
    assert (wrong.status_code, "lost &quot;it&quot;" in wrong.content.decode()) == (422, True)
    go_on = client.post("/account/step-up", {"code": code_at(utc_now()), **kept})
    assert (go_on.status_code, f'action="{path}"' in go_on.content.decode()) == (200, True)
    assert Factor.objects.filter(user=user).exists()
    assert client.post(path, {"note": "x"}).status_code == 302
    assert not Factor.objects.filter(user=user).exists()
    assert kinds(user)[-1] == "FactorRemoved"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_confirming_leads_to_this_site_only(target: str) -> None:
    person("ada")
    client = in_by_password()
    assert client.post("/account/step-up", {"password": PASSWORD, "next": target}).headers["Location"] == "/desk"


def test_a_part_of_a_page_is_told_to_ask_beside_what_is_typed() -> None:
    enrolled()
    client = in_by_code()
    answer = client.post("/account/factors/codes", headers=PART)
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (403, "oms:step-up")
    assert "STEP_UP_NEEDED" in answer.content.decode()
    form = client.get("/account/step-up", headers=PART)
    assert (form.status_code, "<html" in form.content.decode()) == (200, False)
    done = client.post("/account/step-up", {"code": code_at(utc_now())}, headers=PART)
    assert (done.status_code, done.headers["HX-Trigger"]) == (200, "oms:stepped-up")


def test_the_policy_says_who_must_confirm(settings: Any) -> None:
    user = person("ada", rights=("administer_users",))
    assert not get_principal(user).must_confirm
    settings.STEP_UP = "always"
    assert get_principal(user).must_confirm
    assert not get_principal(user, must_confirm=False).must_confirm
    assert not process_principal("relay").must_confirm
    with pytest.raises(NotPermitted, match="STEP_UP_NEEDED"):
        require_administrator(get_principal(user))
    require_administrator(get_principal(user), confirmed=False)


def test_changing_rights_wants_confirming(settings: Any) -> None:
    actor = replace(principal("root", rights=("administer_users",)), must_confirm=True)
    group = Group.objects.create(name="dealer:D1")
    with pytest.raises(NotPermitted, match="STEP_UP_NEEDED"):
        grant_access(actor=actor, at=AT, group=group, right="view_desk", objects=[desk()])
    assert not Event.objects.exists()


def test_no_decision_is_taken_before_confirming() -> None:
    maker, checker = principal("maker"), principal("checker", rights=("release_order",))
    raised = ask(maker)
    with pytest.raises(NotPermitted, match="STEP_UP_NEEDED"):
        decide(replace(checker, must_confirm=True), raised)
    assert not Decision.objects.exists()
    decide(checker, raised)
    assert Decision.objects.count() == 1


def test_a_token_cannot_confirm(settings: Any) -> None:
    settings.STEP_UP = "always"
    user = person("ada", rights=("release_order",))
    issued = issue_api_key(actor=process_principal("test"), at=AT, user_id=user.pk, name="x")
    key = find_api_key(issued.token, at=AT)
    assert key is not None
    with pytest.raises(NotPermitted, match="DECISION_BY_TOKEN"):
        require_confirmed(key.principal)


def test_the_session_of_somebody_with_a_factor_must_confirm_and_one_without_need_not() -> None:
    enrolled("ada")
    person("bob")
    ada, bob = in_by_code(), in_by_password("bob")
    for client, must in ((ada, True), (bob, False)):
        answer = client.get(PAGE)
        assert answer.wsgi_request.principal.must_confirm == must  # type: ignore[attr-defined]


def test_from_the_first_factor_on_the_same_session_must_confirm() -> None:
    user = person("ada")
    client = in_by_password()
    client.post("/account/step-up", {"password": PASSWORD})
    page = client.get(NEW).content.decode()
    secret = page.split('id="letters">')[1].split("<")[0].replace(" ", "")
    done = client.post(NEW, {"code": TOTP(secret).now()})
    assert done.content.decode().split('class="codes mono"')[1].split("</ul>")[0].count("<li>") == 10
    session = client.session
    session[CONFIRMED_AT] = (utc_now() - timedelta(hours=1)).isoformat()
    session.save()
    assert client.get(PAGE).wsgi_request.principal.must_confirm  # type: ignore[attr-defined]
    assert kinds(user) == ["SignedIn", "NewDeviceSeen", "SteppedUp", "FactorEnrolled", "RecoveryCodesMade"]


def test_the_last_factor_stays_where_everybody_needs_one(settings: Any) -> None:
    user = enrolled()
    client = in_by_code()
    client.post("/account/step-up", {"code": code_at(utc_now())})
    settings.SECOND_FACTOR_REQUIRED = True
    path = f"/account/factors/{Factor.objects.get().id}/remove"
    answer = client.post(path)
    assert (answer.status_code, "FACTOR_IS_LAST" in answer.content.decode()) == (422, True)
    settings.SECOND_FACTOR_REQUIRED = False
    client.post("/account/factors/codes")
    assert RecoveryCode.objects.filter(user=user).count() == 10
    assert client.post(path).status_code == 302
    assert not RecoveryCode.objects.filter(user=user).exists()


def test_a_factor_of_another_person_does_not_exist() -> None:
    enrolled("ada")
    bob = person("bob")
    client = in_by_password("bob")
    client.post("/account/step-up", {"password": PASSWORD})
    assert client.post(f"/account/factors/{Factor.objects.get().id}/remove").status_code == 404
    assert client.post("/account/factors/codes").status_code == 422
    assert Factor.objects.filter(user__username="ada").count() == 1
    assert bob.pk
