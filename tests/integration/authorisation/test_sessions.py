"""Sessions end by themselves, by their person and by an administrator; polling keeps none alive; no cookie is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client

from authorisation.domain.sessions import Times, ends_at
from authorisation.models import Session
from authorisation.selectors import get_principal
from authorisation.selectors.sign_in import list_sessions, require_visible_user
from authorisation.services.end_expired_sessions import end_expired_sessions
from authorisation.services.end_sessions import end_sessions
from authorisation.session_store import digest_of
from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import NotFound, NotPermitted
from tests.factories.authorisation import PASSWORD, person

pytestmark = pytest.mark.django_db
PAGE = "/preferences"


def signed_in(username: str, **headers: str) -> Client:
    client = Client(headers=headers)
    assert client.post("/sign-in", {"username": username, "password": PASSWORD}).status_code == 302
    return client


def age(**values: timedelta) -> None:
    """Move times of every session into the past."""
    for session in Session.objects.all():
        changed = {name: getattr(session, name) - by for name, by in values.items()}
        Session.objects.filter(digest=session.digest).update(**changed)


def kinds(user_id: int) -> list[str]:
    return list(Event.objects.filter(stream=f"user:{user_id}").order_by("seq").values_list("kind", flat=True))


def test_a_session_says_whose_since_when_and_from_where_but_not_its_cookie() -> None:
    user = person("ada")
    client = signed_in("ada", **{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"})
    (session,) = list_sessions(user_id=user.pk, at=utc_now())
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert (session.device, session.source, session.user_id) == ("Firefox on Linux", "127.0.0.1", user.pk)
    assert session.digest == digest_of(key)
    row = Session.objects.values().get()
    assert key not in str(row)


def test_a_browser_is_new_once() -> None:
    user = person("ada")
    client = signed_in("ada")
    client.post("/sign-out")
    client.post("/sign-in", {"username": "ada", "password": PASSWORD})
    assert kinds(user.pk) == ["SignedIn", "NewDeviceSeen", "SessionEnded", "SignedIn"]
    signed_in("ada")
    assert kinds(user.pk)[-1] == "NewDeviceSeen"
    ended = Event.objects.get(stream=f"user:{user.pk}", kind="SessionEnded")
    assert ended.payload["reason"] == "signed_out"


@pytest.mark.parametrize(
    ("request_headers", "path", "counts"),
    [
        ({}, PAGE, True),
        ({"HX-Request": "true"}, "/frame/status", False),
        ({"HX-Request": "true", "X-Used": "1"}, "/frame/status", True),
        ({}, "/ticket/lists.json", False),
        ({}, "/healthz", False),
    ],
)
def test_only_real_use_counts(request_headers: dict[str, str], path: str, counts: bool) -> None:
    person("ada")
    client = signed_in("ada")
    age(last_used_at=timedelta(minutes=2), expires_at=timedelta(minutes=2))
    before = Session.objects.get()
    client.get(path, headers=request_headers)
    after = Session.objects.get()
    assert (after.last_used_at > before.last_used_at) == counts
    assert (after.expires_at > before.expires_at) == counts


def test_use_is_written_once_a_minute_at_most() -> None:
    person("ada")
    client = signed_in("ada")
    before = Session.objects.get().last_used_at
    client.get(PAGE)
    assert Session.objects.get().last_used_at == before


def test_a_session_that_is_over_is_nobody_and_is_told_once(settings: Any) -> None:
    settings.SESSION_TIMES = Times(timedelta(minutes=30), timedelta(hours=12), timedelta(minutes=10))
    user = person("ada")
    client = signed_in("ada")
    age(last_used_at=timedelta(minutes=30), expires_at=timedelta(minutes=30))
    assert client.get(PAGE).status_code == 302
    assert client.get("/frame/status", headers={"HX-Request": "true"}).status_code == 401
    assert end_expired_sessions(at=utc_now()) == 1
    assert end_expired_sessions(at=utc_now()) == 0
    assert [event.payload["reason"] for event in Event.objects.filter(kind="SessionEnded")] == ["idle"]
    assert kinds(user.pk)[-1] == "SessionEnded"


def test_no_use_carries_a_session_past_its_age(settings: Any) -> None:
    settings.SESSION_TIMES = Times(timedelta(minutes=30), timedelta(hours=12), timedelta(minutes=10))
    person("ada")
    client = signed_in("ada")
    age(started_at=timedelta(hours=11, minutes=55), last_used_at=timedelta(minutes=2))
    client.get(PAGE)
    session = Session.objects.get()
    assert session.expires_at == session.started_at + timedelta(hours=12)
    age(started_at=timedelta(minutes=5), expires_at=timedelta(minutes=5))
    assert client.get(PAGE).status_code == 302
    end_expired_sessions(at=utc_now())
    assert Event.objects.get(kind="SessionEnded").payload["reason"] == "too_old"


def test_one_ends_a_session_elsewhere_and_goes_on_here() -> None:
    user = person("ada")
    here, there = signed_in("ada"), signed_in("ada")
    other = Session.objects.get(digest=digest_of(there.cookies[settings.SESSION_COOKIE_NAME].value))
    assert here.post("/account/sessions/end", {"session": str(other.id)}).status_code == 302
    assert there.get(PAGE).status_code == 302
    assert here.get(PAGE).status_code == 200
    third = signed_in("ada")
    here.post("/account/sessions/end", {})
    assert (third.get(PAGE).status_code, here.get(PAGE).status_code) == (302, 200)
    assert kinds(user.pk).count("SessionEnded") == 2


def test_nobody_ends_or_sees_the_sessions_of_another_but_an_administrator() -> None:
    ada, bob = person("ada"), person("bob")
    root = person("root", rights=("administer_users",))
    client, guest = signed_in("ada"), signed_in("bob")
    session = Session.objects.get(user=ada)
    guest.post("/account/sessions/end", {"session": str(session.id)})
    assert guest.post("/account/sessions/end", {"session": str(session.id), "user": "ada"}).status_code == 403
    assert guest.get("/account/sessions?user=ada").status_code == 403
    assert guest.get("/account/sessions?user=nobody").status_code == 403
    with pytest.raises(NotPermitted):
        end_sessions(actor=get_principal(bob), at=utc_now(), user_id=ada.pk)
    assert client.get(PAGE).status_code == 200
    administrator = signed_in("root")
    assert "ada" in administrator.get("/account/sessions?user=ada").content.decode()
    assert administrator.get("/account/sessions?user=nobody").status_code == 404
    administrator.post("/account/sessions/end", {"user": "ada"})
    assert client.get(PAGE).status_code == 302
    ended = Event.objects.get(stream=f"user:{ada.pk}", kind="SessionEnded")
    assert (ended.payload["reason"], ended.actor) == ("ended_by_administrator", f"user:{root.pk}")


def test_a_part_that_comes_late_does_not_take_the_cookie_of_the_browser() -> None:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = "a-cookie-of-before-that-is-no-more"
    part = client.get("/frame/status", headers={"HX-Request": "true"})
    assert (part.status_code, settings.SESSION_COOKIE_NAME in part.cookies) == (401, False)
    page = client.get(PAGE)
    assert page.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == 0


def test_the_cookie_of_before_signing_in_is_worth_nothing() -> None:
    person("ada")
    client = signed_in("ada")
    first = client.cookies[settings.SESSION_COOKIE_NAME].value
    client.post("/sign-out")
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = first
    assert thief.get(PAGE).status_code == 302
    assert Session.objects.count() == 0


def test_what_is_over_does_not_come_back_by_being_saved() -> None:
    person("ada")
    client = signed_in("ada")
    session = client.session
    session["x"] = 1
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        session.save()


def test_an_unknown_id_is_malformed_or_changes_nothing() -> None:
    person("ada")
    client = signed_in("ada")
    assert client.post("/account/sessions/end", {"session": "x"}).status_code == 400
    client.post("/account/sessions/end", {"session": "01900000-0000-7000-8000-000000000000"})
    assert Session.objects.count() == 1
    administrator = get_principal(person("root", rights=("administer_users",)))
    with pytest.raises(NotFound):
        require_visible_user(administrator, "nobody")


def test_times_are_told_in_one_place() -> None:
    at = datetime.fromisoformat("2026-11-20T09:00:00+00:00")
    times = Times(timedelta(minutes=30), timedelta(hours=12), timedelta(minutes=10))
    assert ends_at(times, started_at=at, last_used_at=at, signed_in=False) == at + timedelta(minutes=10)
    late = at + timedelta(hours=11, minutes=45)
    assert ends_at(times, started_at=at, last_used_at=late, signed_in=True) == at + timedelta(hours=12)
