"""Passwords by the rules, one-time links that work once, resets by two people, and first people without a built-in secret."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from authorisation.domain.principal import Principal, process_principal
from authorisation.models import Factor, RecoveryCode, Session, SignInFailures, SignInLink, User
from authorisation.selectors import get_principal
from authorisation.services.change_password import change_password
from authorisation.services.collect_sign_in_link import collect_sign_in_link
from authorisation.services.decide_sign_in_reset import decide_sign_in_reset
from authorisation.services.issue_sign_in_link import issue_sign_in_link
from authorisation.services.make_recovery_codes import make_recovery_codes
from authorisation.services.request_sign_in_reset import request_sign_in_reset
from authorisation.services.tell_sign_in_failures import tell_sign_in_failures
from authorisation.services.use_sign_in_link import use_sign_in_link
from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, Refused
from oms_project.seed.first_run import first_run
from tests.factories.authorisation import AT, PASSWORD, person
from tests.integration.authorisation.test_second_factor import PAGE, code_at, enrolled, kinds

pytestmark = pytest.mark.django_db
NEW = "a rather long new one"
HOUSE = process_principal("test")


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    """Argon2 is slow on purpose; the rules are the same with another hash. The first password of the factory stays Argon2's."""
    argon2 = "django.contrib.auth.hashers.Argon2PasswordHasher"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", argon2]


def signed_in(username: str) -> Client:
    client = Client()
    client.post("/sign-in", {"username": username, "password": PASSWORD})
    return client


@pytest.mark.parametrize(
    ("new", "again", "word"),
    [
        ("short", "short", "at least 12"),
        ("passwordpassword", "passwordpassword", ""),
        ("ada.lovelace.x", "ada.lovelace.x", "similar"),
        (NEW, NEW + "x", "not the same"),
        ("x" * 257, "x" * 257, "256"),
        (PASSWORD, PASSWORD, "lately"),
        ("", "", "at least 12"),
    ],
)
def test_a_password_that_breaks_a_rule_changes_nothing(new: str, again: str, word: str) -> None:
    user = person("ada.lovelace")
    before = User.objects.get().password
    if not word:
        new = again = "qwertyuiop123"
    with pytest.raises(Invalid, match="PASSWORD_REFUSED") as refused:
        change_password(actor=get_principal(user), at=AT, new=new, again=again)
    assert word in str(refused.value.fields["new"])
    assert (User.objects.get().password, kinds(user)) == (before, [])


def test_none_of_the_last_five_is_taken_again_and_the_sixth_is() -> None:
    user = person("ada")
    actor = get_principal(user)
    for number in range(4):
        change_password(actor=actor, at=AT + timedelta(days=number), new=f"{NEW} {number}", again=f"{NEW} {number}")
    with pytest.raises(Invalid, match="lately"):
        change_password(actor=actor, at=AT + timedelta(days=4), new=PASSWORD, again=PASSWORD)
    change_password(actor=actor, at=AT + timedelta(days=5), new=f"{NEW} 4", again=f"{NEW} 4")
    change_password(actor=actor, at=AT + timedelta(days=6), new=PASSWORD, again=PASSWORD)
    assert kinds(user) == ["PasswordChanged"] * 6


def test_changing_it_ends_the_other_sessions_and_changes_the_cookie_of_this_one() -> None:
    user = person("ada")
    here, there = signed_in("ada"), signed_in("ada")
    cookie = here.cookies["oms"].value
    wrong = here.post("/account/password", {"old": "wrong", "new": NEW, "again": NEW})
    assert wrong.status_code == 422
    bad = here.post("/account/password", {"old": PASSWORD, "new": "short", "again": "short"})
    assert bad.status_code == 422
    assert here.post("/account/password", {"old": PASSWORD, "new": NEW, "again": NEW}).status_code == 302
    assert (here.get(PAGE).status_code, there.get(PAGE).status_code) == (200, 302)
    assert here.cookies["oms"].value != cookie
    assert "PasswordChanged" in kinds(user)
    ended = Event.objects.get(kind="SessionEnded")
    assert ended.payload["reason"] == "password_changed"
    assert NEW not in str(list(Event.objects.values()))


def test_who_has_a_second_factor_confirms_before_changing_it() -> None:
    enrolled()
    client = Client()
    client.post("/sign-in", {"username": "ada", "password": PASSWORD})
    client.post("/sign-in/second", {"code": code_at(utc_now(), -1)})
    assert client.post("/account/password", {"old": PASSWORD, "new": NEW, "again": NEW}).status_code == 403
    client.post("/account/step-up", {"code": code_at(utc_now())})
    assert client.post("/account/password", {"old": PASSWORD, "new": NEW, "again": NEW}).status_code == 302


def newcomer(username: str = "new") -> User:
    user = User(username=username)
    user.set_unusable_password()
    user.save()
    return user


def test_a_link_sets_a_password_once() -> None:
    user = newcomer()
    token = issue_sign_in_link(actor=HOUSE, at=utc_now(), user_id=user.pk)
    assert token not in str(list(SignInLink.objects.values()) + list(Event.objects.values()))
    client = Client()
    opened = client.get(f"/sign-in/link/{token}")
    assert opened.headers["Location"] == "/sign-in/link"
    assert token not in str(list(Session.objects.values()))
    assert client.post("/sign-in/link", {"new": "short", "again": "short"}).status_code == 422
    assert client.post("/sign-in/link", {"new": NEW, "again": NEW}).headers["Location"] == "/"
    assert client.get(PAGE).status_code == 200
    assert Client().get(f"/sign-in/link/{token}").status_code == 404
    with pytest.raises(NotFound, match="LINK_UNKNOWN"):
        use_sign_in_link(token=token, at=utc_now(), new=NEW + "2", again=NEW + "2")
    assert [kind for kind in kinds(user) if "Link" in kind] == ["SignInLinkIssued", "SignInLinkUsed"]


@pytest.mark.parametrize("what", ["over", "replaced", "disabled", "never was"])
def test_a_link_that_does_not_work_changes_nothing(what: str) -> None:
    user = newcomer()
    token = issue_sign_in_link(actor=HOUSE, at=AT, user_id=user.pk)
    at = AT + timedelta(hours=1)
    if what == "over":
        at = AT + timedelta(hours=24)
    elif what == "replaced":
        issue_sign_in_link(actor=HOUSE, at=AT, user_id=user.pk)
    elif what == "disabled":
        User.objects.filter(pk=user.pk).update(is_active=False)
    else:
        token += "x"
    with pytest.raises(NotFound, match="LINK_UNKNOWN"):
        use_sign_in_link(token=token, at=at, new=NEW, again=NEW)
    assert not User.objects.get().has_usable_password()


def test_who_can_sign_in_gets_a_link_by_a_reset_only() -> None:
    ada, root = person("ada"), person("root", rights=("administer_users",))
    for actor in (get_principal(root), HOUSE):
        with pytest.raises(Refused, match="RESET_NEEDED"):
            issue_sign_in_link(actor=actor, at=AT, user_id=ada.pk)
    with pytest.raises(NotPermitted):
        issue_sign_in_link(actor=get_principal(ada), at=AT, user_id=newcomer().pk)
    with pytest.raises(NotFound):
        issue_sign_in_link(actor=HOUSE, at=AT, user_id=person("robot", kind="service").pk)
    assert not SignInLink.objects.exists()


def administrators() -> tuple[Principal, ...]:
    return tuple(get_principal(person(name, rights=("administer_users",))) for name in ("root", "boot"))


def test_two_people_reset_a_sign_in_and_one_collects_the_link_once() -> None:
    maker, checker = administrators()
    ada = enrolled("ada")
    make_recovery_codes(user=ada, at=AT)
    client = Client()
    client.post("/sign-in", {"username": "ada", "password": PASSWORD})
    client.post("/sign-in/second", {"code": code_at(utc_now())})
    raised = request_sign_in_reset(actor=maker, at=utc_now(), username="ada", reason="telephone lost, seen in person")
    with pytest.raises(Conflict, match="RESET_WAITS"):
        request_sign_in_reset(actor=checker, at=utc_now(), username="ada", reason="again")
    with pytest.raises(Conflict, match="RESET_NOT_APPROVED"):
        collect_sign_in_link(actor=maker, at=utc_now(), authorisation_id=raised.id)
    verdict = {"verdict": "approve", "reason_code": "OK", "reason": "", "payload_hash": raised.payload_hash}
    with pytest.raises(NotPermitted, match="SELF_APPROVAL"):
        decide_sign_in_reset(actor=maker, at=utc_now(), authorisation_id=raised.id, **verdict)
    assert client.get(PAGE).status_code == 200
    decide_sign_in_reset(actor=checker, at=utc_now(), authorisation_id=raised.id, **verdict)
    assert client.get(PAGE).status_code == 302
    assert (Factor.objects.count(), RecoveryCode.objects.count()) == (0, 0)
    assert not User.objects.get(pk=ada.pk).has_usable_password()
    with pytest.raises(NotFound):
        collect_sign_in_link(actor=checker, at=utc_now(), authorisation_id=raised.id)
    token = collect_sign_in_link(actor=maker, at=utc_now(), authorisation_id=raised.id)
    with pytest.raises(Conflict, match="LINK_COLLECTED"):
        collect_sign_in_link(actor=maker, at=utc_now(), authorisation_id=raised.id)
    assert token not in str(list(Event.objects.values()))
    with pytest.raises(Invalid, match="lately"):
        use_sign_in_link(token=token, at=utc_now(), new=PASSWORD, again=PASSWORD)
    use_sign_in_link(token=token, at=utc_now(), new=NEW, again=NEW)
    assert {"SignInReset", "FactorRemoved", "SignInLinkIssued", "SignInLinkUsed"} <= set(kinds(ada))


def test_nobody_asks_for_or_decides_about_their_own_reset() -> None:
    maker, checker = administrators()
    with pytest.raises(NotPermitted, match="OWN_RESET"):
        request_sign_in_reset(actor=maker, at=AT, username="root", reason="x")
    raised = request_sign_in_reset(actor=maker, at=AT, username="boot", reason="x")
    with pytest.raises(NotPermitted, match="OWN_RESET"):
        decide_sign_in_reset(
            actor=checker,
            at=AT,
            authorisation_id=raised.id,
            verdict="approve",
            reason_code="OK",
            reason="",
            payload_hash=raised.payload_hash,
        )
    with pytest.raises(NotPermitted, match="RIGHT_MISSING"):
        request_sign_in_reset(actor=get_principal(person("ada")), at=AT, username="root", reason="x")
    with pytest.raises(NotFound):
        request_sign_in_reset(actor=maker, at=AT, username="nobody", reason="x")
    with pytest.raises(Invalid):
        request_sign_in_reset(actor=maker, at=AT, username="ada", reason=" ")


def test_an_empty_house_gets_two_administrators_and_no_password() -> None:
    with pytest.raises(Invalid):
        first_run(actor=HOUSE, at=AT, usernames=["ada", "ada"])
    with pytest.raises(Invalid):
        first_run(actor=HOUSE, at=AT, usernames=["ada", "B; DROP"])
    links = first_run(actor=HOUSE, at=AT, usernames=["ada.root", "bob.root"])
    assert list(links) == ["ada.root", "bob.root"]
    people = list(User.objects.order_by("username"))
    assert [user.has_usable_password() for user in people] == [False, False]
    assert all("administer_users" in get_principal(user).rights for user in people)
    assert not any(user.is_superuser or user.is_staff for user in people)
    for name, token in links.items():
        assert use_sign_in_link(token=token, at=AT, new=NEW, again=NEW).username == name
    with pytest.raises(Refused, match="PEOPLE_EXIST"):
        first_run(actor=HOUSE, at=AT, usernames=["eve.root", "mal.root"])
    assert User.objects.count() == 2


def test_what_was_tried_is_told_of_people_only_once_a_round_and_forgotten() -> None:
    ada = enrolled("ada")
    client = Client()
    for name in ["ada"] * 3 + ["nobody"] * 3:
        client.post("/sign-in", {"username": name, "password": "wrong"})
    client.post("/sign-in", {"username": "ada", "password": PASSWORD})
    client.post("/sign-in/second", {"code": "000000"})
    for _ in range(2):
        client.post("/sign-in", {"username": "Ada", "password": "wrong"})
    at = utc_now()
    assert tell_sign_in_failures(at=at) == 2
    assert tell_sign_in_failures(at=at) == 0
    told = {event.payload["factor"]: event.payload["failures"] for event in Event.objects.filter(kind="SignInRefused")}
    assert told == {"password": 2, "second_factor": 1}
    assert set(Event.objects.filter(kind="SignInRefused").values_list("stream", flat=True)) == {f"user:{ada.pk}"}
    tell_sign_in_failures(at=at + timedelta(minutes=31))
    assert not SignInFailures.objects.exists()
