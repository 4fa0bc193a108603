"""Signing in tells nothing to who guesses; keys and grants hold from the next request on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.http import HttpRequest
from django.test import Client, RequestFactory
from rest_framework.request import Request

from authorisation.api.authentication import ApiKeyAuthentication
from authorisation.domain.principal import process_principal
from authorisation.models import ApiKey, SignInFailures, User
from authorisation.selectors import find_api_key, get_principal, list_visible_desks
from authorisation.services._failures import of_name, of_source
from authorisation.services.check_sign_in import check_sign_in
from authorisation.services.grant_access import grant_access
from authorisation.services.issue_api_key import issue_api_key
from authorisation.services.revoke_access import revoke_access
from authorisation.services.revoke_api_key import revoke_api_key
from authorisation.views.sign_in import WRONG
from journal.models import Event
from kernel.errors import NotFound, NotPermitted
from tests.factories.authorisation import AT, PASSWORD, desk, person, principal

pytestmark = pytest.mark.django_db
SEED = process_principal("seed")


def attempt(username: str, password: str, at: Any = AT) -> User | None:
    request: HttpRequest = RequestFactory().post("/sign-in")
    request.user = AnonymousUser()
    return check_sign_in(request=request, username=username, password=password, at=at)


def test_the_right_password_opens_and_forgets_failures() -> None:
    user = person("ada")
    assert attempt("ada", "wrong") is None
    assert attempt("ada", PASSWORD) == user
    assert list(SignInFailures.objects.values_list("name_digest", flat=True)) == [of_source("127.0.0.1")]


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_five_failures_lock_a_name_known_or_not(name: str) -> None:
    person("ada")
    for _ in range(5):
        assert attempt(name, "wrong") is None
    row = SignInFailures.objects.get(pk=of_name(name))
    assert (row.failures, row.locked_until) == (5, AT + timedelta(seconds=30))
    assert name not in row.name_digest
    assert attempt(name, PASSWORD, AT + timedelta(seconds=29)) is None
    assert SignInFailures.objects.get(pk=of_name(name)).failures == 5
    found = attempt(name, PASSWORD, AT + timedelta(seconds=30))
    assert (found is not None) == (name == "ada")


def test_an_address_that_tries_many_names_waits_too() -> None:
    person("ada")
    for number in range(49):
        attempt(f"name{number}", "wrong")
    assert attempt("ada", PASSWORD) is not None
    attempt("name49", "wrong")
    assert attempt("ada", PASSWORD, AT + timedelta(seconds=29)) is None
    assert attempt("ada", PASSWORD, AT + timedelta(seconds=30)) is not None


def test_disabled_people_and_services_do_not_sign_in() -> None:
    person("gone", is_active=False)
    person("robot", kind="service", persona="service")
    assert attempt("gone", PASSWORD) is None
    assert attempt("robot", PASSWORD) is None


def post(client: Client, **fields: str) -> Any:
    return client.post("/sign-in", fields)


def test_the_page_goes_on_to_its_own_site_only(monkeypatch: pytest.MonkeyPatch) -> None:
    person("ada")
    for wanted, target in (("/orders/1", "/orders/1"), ("https://evil.example/", "/"), ("//evil.example", "/")):
        answer = post(Client(), username="ada", password=PASSWORD, next=wanted)
        assert (answer.status_code, answer.headers["Location"]) == (302, target)


def test_the_page_shows_its_form_and_the_sentence() -> None:
    page = Client().get("/sign-in?next=/orders/1")
    assert (page.status_code, page.headers["Cache-Control"]) == (
        200,
        "max-age=0, no-cache, no-store, must-revalidate, private",
    )
    assert 'value="/orders/1"' in page.content.decode()
    answer = post(Client(), username="nobody", password="wrong")
    assert answer.status_code == 422
    assert WRONG in answer.content.decode()


def test_every_failure_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    person("ada")
    shown: list[tuple[int, list[str]]] = []

    def render(request: HttpRequest, template: str, context: dict[str, Any], status: int) -> Any:
        from django.http import HttpResponse

        shown.append((status, list(context["form"].non_field_errors())))
        return HttpResponse(status=status)

    monkeypatch.setattr("authorisation.views.sign_in.render", render)
    client = Client()
    for name in ["ada", "nobody"] * 7:
        post(client, username=name, password="wrong")
    post(client, username="ada", password=PASSWORD)
    assert shown == [(422, [WRONG])] * 15
    assert "_auth_user_id" not in client.session


def test_signing_out_ends_the_session() -> None:
    client = Client()
    client.force_login(person("ada"))
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").headers["Location"] == "/sign-in"
    assert "_auth_user_id" not in client.session


def test_signing_in_changes_the_session_key() -> None:
    person("ada")
    client = Client()
    client.session["x"] = 1
    before = client.session.session_key
    post(client, username="ada", password=PASSWORD)
    assert client.session.session_key not in (None, before)


def authenticated(token: str) -> User | None:
    request = Request(RequestFactory().get("/", headers={"Authorization": f"Bearer {token}"}))
    found = ApiKeyAuthentication().authenticate(request)
    return found[0] if found else None


def test_a_key_works_until_it_is_revoked_expired_or_its_user_disabled() -> None:
    from rest_framework.exceptions import AuthenticationFailed

    user = person("robot", kind="service")
    issued = issue_api_key(actor=SEED, at=AT, user_id=user.pk, name="feed")
    assert issued.token not in repr(issued)
    key = ApiKey.objects.get()
    assert key.digest is not None
    assert (key.prefix, len(key.digest), issued.token in key.digest) == (issued.token[:12], 64, False)
    assert authenticated(issued.token) == user
    assert find_api_key(issued.token + "x", at=AT) is None
    user.is_active = False
    user.save()
    with pytest.raises(AuthenticationFailed):
        authenticated(issued.token)
    user.is_active = True
    user.save()
    assert revoke_api_key(actor=SEED, at=AT, key_id=issued.id)
    assert not revoke_api_key(actor=SEED, at=AT, key_id=issued.id)
    with pytest.raises(AuthenticationFailed):
        authenticated(issued.token)
    short = issue_api_key(actor=SEED, at=AT, user_id=user.pk, name="day", expires_at=AT + timedelta(days=1))
    assert find_api_key(short.token, at=AT + timedelta(hours=23)) is not None
    assert find_api_key(short.token, at=AT + timedelta(days=1)) is None
    kinds = list(Event.objects.order_by("position").values_list("kind", flat=True))
    assert kinds == ["ApiKeyIssued", "ApiKeyRevoked", "ApiKeyIssued"]
    assert issued.token not in str(list(Event.objects.values()))


def test_keys_and_grants_need_an_administrator() -> None:
    ada, bob = person("ada"), person("bob")
    issued = issue_api_key(actor=SEED, at=AT, user_id=ada.pk, name="mine")
    group = Group.objects.create(name="dealer:D1")
    before = Event.objects.count()
    for refused in (
        lambda: issue_api_key(actor=get_principal(ada), at=AT, user_id=ada.pk, name="x"),
        lambda: revoke_api_key(actor=get_principal(bob), at=AT, key_id=issued.id),
        lambda: grant_access(actor=get_principal(ada), at=AT, group=group, right="view_desk", objects=[desk()]),
        lambda: revoke_access(actor=get_principal(ada), at=AT, group=group, right="view_desk", objects=[desk()]),
    ):
        with pytest.raises(NotPermitted):
            refused()
    assert (Event.objects.count(), ApiKey.objects.filter(revoked_at__isnull=True).count()) == (before, 1)
    with pytest.raises(NotFound):
        issue_api_key(actor=SEED, at=AT, user_id=0, name="nobody's")
    assert revoke_api_key(actor=get_principal(ada), at=AT, key_id=issued.id)


def test_rights_and_grants_come_in_one_statement(django_assert_num_queries: Any) -> None:
    user = person("ada", rights=("release_order", "judge_price"), desks=("D1", "D2"), desk=desk("D1"))
    with django_assert_num_queries(1):
        found = get_principal(user)
    both = frozenset([desk("D1").pk, desk("D2").pk])
    assert found.rights == {"release_order", "judge_price"}
    assert dict(found.grants) == {"view_desk": both, "trade_desk": both}
    assert (found.actor, found.desk_id, found.is_process) == (f"user:{user.pk}", desk("D1").pk, False)
    assert get_principal(user, actor="key:1").actor == "key:1"


def test_a_grant_holds_from_the_next_load_and_so_does_its_end() -> None:
    administrator = principal("root", rights=("administer_users",))
    user = person("ada", desks=())
    group = user.groups.get()
    third = desk("D3")
    grant_access(actor=process_principal("test"), at=AT, group=group, right="view_desk", objects=[third])
    grant_access(actor=process_principal("test"), at=AT, group=group, right="view_desk", objects=[third])
    assert get_principal(user).granted("view_desk") == {third.pk}
    assert list(list_visible_desks(get_principal(user))) == [third]
    revoke_access(actor=administrator, at=AT, group=group, right="view_desk", objects=[third])
    assert get_principal(user).granted("view_desk") == frozenset()


def test_a_token_brings_its_principal_in_one_statement(django_assert_num_queries: Any) -> None:
    user = person("robot", rights=("enter_order",), desks=("D1",), kind="service", may_send=False, desk=desk("D1"))
    bare = User.objects.create(username="bare")
    issued = issue_api_key(actor=SEED, at=AT, user_id=user.pk, name="feed")
    with django_assert_num_queries(1):
        key = find_api_key(issued.token, at=AT)
    assert key is not None
    assert key.principal == get_principal(user, actor=f"key:{issued.id}")
    assert (key.user, key.user.desk_id, key.name, key.created_at) == (user, desk("D1").pk, "feed", AT)
    assert (key.principal.is_service, key.principal.may_send) == (True, False)
    other = find_api_key(issue_api_key(actor=SEED, at=AT, user_id=bare.pk, name="x").token, at=AT)
    assert other is not None
    assert (other.principal.rights, dict(other.principal.grants)) == (frozenset(), {})
