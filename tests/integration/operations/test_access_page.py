"""The page of access: who sees it, what is asked for from it, and cutting somebody off from the next request on."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from authorisation.domain.principal import Principal, process_principal
from authorisation.models import ApiKey, AuthorisationRequest, User
from authorisation.selectors import find_api_key, get_principal
from authorisation.services.cut_off_user import cut_off_user
from authorisation.services.decide_user_right import decide_user_right
from authorisation.services.enable_user import enable_user
from authorisation.services.issue_api_key import issue_api_key
from authorisation.services.join_role import join_role
from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid, NotPermitted
from tests.factories.authorisation import person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def house() -> None:
    for name in ("root", "toor", "third"):
        person(name, rights=("administer_users", "see_access"), desks=())
    person("l.berg", rights=("see_access",), desks=())
    person("a.khan", rights=("enter_order",))
    Group.objects.create(name="kill").permissions.set(Permission.objects.filter(codename="engage_kill_switch"))


def client_of(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def who(name: str) -> Principal:
    return get_principal(User.objects.get(username=name))


def pk(name: str) -> int:
    return User.objects.get(username=name).pk


def test_the_matrix_shows_who_holds_what_to_whom_it_is_for() -> None:
    page = client_of("l.berg").get("/admin/access").content.decode()
    assert "a.khan" in page
    assert "role of a.khan" in page
    assert "Changes of rights are asked for by administrators." in page
    assert client_of("a.khan").get("/admin/access").status_code == 403
    assert client_of("l.berg").get(f"/admin/access/people/{pk('a.khan')}").status_code == 200
    assert client_of("l.berg").get("/admin/access/people/999999999").status_code == 404
    assert client_of("l.berg").get("/admin/access/roles/999999999").status_code == 404


def test_a_role_is_asked_for_from_the_page_and_waits_for_another() -> None:
    form = {
        "change": "join_role",
        "user": pk("a.khan"),
        "role": "kill",
        "until": "2099-12-31T18:00",
        "reason": "stand-in",
    }
    assert client_of("l.berg").post("/admin/access/ask", form).status_code == 403
    answer = client_of("root").post("/admin/access/ask", form)
    asked = AuthorisationRequest.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/approvals?view=raised&id={asked.id}")
    assert asked.payload["until"] == "2099-12-31T18:00:00+00:00"
    page = client_of("toor").get(f"/approvals/{asked.id}").content.decode()
    assert "a.khan joins the role kill until 2099-12-31 18:00 UTC." in page
    assert "engage_kill_switch, enter_order" in page


@pytest.mark.parametrize(
    "form",
    [
        {"change": "fly", "reason": "x"},
        {"change": "join_role", "user": "me", "role": "kill", "reason": "x"},
        {"change": "join_role", "user": "1", "role": "kill", "until": "soon", "reason": "x"},
        {"change": "grant_access", "role": "kill", "right": "view_desk", "objects": "a", "reason": "x"},
        {"change": "add_user", "username": "", "reason": "x"},
    ],
)
def test_what_cannot_be_read_asks_nothing(form: dict[str, str]) -> None:
    assert client_of("root").post("/admin/access/ask", form).status_code == 400
    assert not AuthorisationRequest.objects.exists()


def test_cut_off_from_the_next_request_on_and_let_in_by_two() -> None:
    dealer, at = client_of("a.khan"), utc_now()
    token = issue_api_key(actor=process_principal("test"), at=at, user_id=pk("a.khan"), name="k").token
    assert dealer.get("/desk").status_code == 200
    admin, address = client_of("root"), f"/admin/access/people/{pk('a.khan')}/cut-off"
    assert admin.post(address, {"typed": "somebody", "reason": "leaves"}).status_code == 400
    assert dealer.get("/desk").status_code == 200
    assert admin.post(address, {"typed": "a.khan", "reason": "leaves"}).status_code == 302
    assert dealer.get("/desk").headers["Location"].startswith("/sign-in")
    assert find_api_key(token, at=utc_now()) is None
    assert not ApiKey.objects.filter(revoked_at=None).exists()
    assert (who("a.khan").rights, dict(who("a.khan").grants)) == (frozenset(), {})
    told = Event.objects.get(kind="UserDisabled")
    assert (told.payload["reason"], told.payload["keys"], told.payload["roles"]) == ("leaves", 1, ["role of a.khan"])
    with pytest.raises(NotPermitted, match="SECOND_PERSON_NEEDED"):
        enable_user(actor=who("root"), at=at, user_id=pk("a.khan"))
    admin.post("/admin/access/ask", {"change": "enable_user", "user": pk("a.khan"), "reason": "is back"})
    asked = AuthorisationRequest.objects.get()
    decide_user_right(
        actor=who("toor"), at=utc_now(), authorisation_id=asked.id, verdict="approve", reason_code="", reason="",
        payload_hash=asked.payload_hash,
    )  # fmt: skip
    assert User.objects.get(username="a.khan").is_active
    assert who("a.khan").rights == frozenset()


def test_who_may_cut_off_and_what_cannot_be() -> None:
    at = utc_now()
    with pytest.raises(NotPermitted, match="RIGHT_MISSING"):
        cut_off_user(actor=who("l.berg"), at=at, user_id=pk("a.khan"), reason="x")
    with pytest.raises(Invalid, match="REASON_INVALID"):
        cut_off_user(actor=who("root"), at=at, user_id=pk("a.khan"), reason=" ")
    assert User.objects.get(username="a.khan").is_active
    cut_off_user(actor=who("root"), at=at, user_id=pk("a.khan"), reason="x")
    with pytest.raises(Conflict, match="USER_CUT_OFF"):
        cut_off_user(actor=who("root"), at=at, user_id=pk("a.khan"), reason="x")


def test_the_last_holder_is_cut_off_all_the_same_and_the_vacancy_told() -> None:
    at, khan = utc_now(), User.objects.get(username="a.khan")
    join_role(actor=process_principal("test"), at=at, user=khan, roles=[Group.objects.get(name="kill")])
    cut_off_user(actor=who("root"), at=at, user_id=khan.pk, reason="stolen laptop")
    told = Event.objects.get(kind="AnomalyRaised").payload
    assert (told["kind"], told["subject_id"]) == ("RIGHT_VACANT", "engage_kill_switch")


def test_what_a_person_asked_about_rights_goes_with_the_person() -> None:
    client_of("root").post(
        "/admin/access/ask", {"change": "join_role", "user": pk("a.khan"), "role": "kill", "reason": "x"}
    )
    cut_off_user(actor=who("toor"), at=utc_now(), user_id=pk("root"), reason="x")
    assert AuthorisationRequest.objects.get().state == "withdrawn"
