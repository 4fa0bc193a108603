"""Keys of the API by two administrators: asked for by one, approved by another, the secret shown once to who asked."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from authorisation.domain.principal import ADMINISTER_USERS, Principal
from authorisation.models import ApiKey, AuthorisationRequest, User
from authorisation.selectors import get_principal
from authorisation.services.decide_api_key import decide_api_key
from authorisation.services.request_api_key import request_key_rotation
from authorisation.services.show_secret import show_secret
from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import Conflict, NotFound, NotPermitted
from kernel.ids import new_id
from tests.factories import DeskWorld, make_desk
from tests.factories.authorisation import person
from tests.factories.partners import issue
from tests.integration.operations.test_pages import client_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def administrator(name: str) -> Principal:
    return get_principal(person(name, rights=(ADMINISTER_USERS,), persona="administrator"))


@pytest.fixture
def robot() -> User:
    return User.objects.create(username="pms", kind=User.Kind.SERVICE, persona="service")


def form(robot: User, **changes: Any) -> dict[str, Any]:
    return {
        "user": str(robot.pk), "name": "desk feed", "scopes": ["orders:read", "events:read"], "addresses": "192.0.2.0/24, 2001:db8::/32",
        "rate": "5", "burst": "10", "reason": "new partner", **changes,
    }  # fmt: skip


def approve(checker: Principal) -> str:
    request = AuthorisationRequest.objects.get(kind="api_key", state="pending")
    return decide_api_key(
        actor=checker,
        at=utc_now(),
        authorisation_id=request.pk,
        verdict="approve",
        reason_code="",
        reason="",
        payload_hash=request.payload_hash,
    ).outcome


def test_a_key_takes_two_administrators_and_its_secret_is_shown_once(world: DeskWorld, robot: User) -> None:
    maker, checker = administrator("ada"), administrator("bob")
    mine = client_of(maker)
    asked = mine.post("/admin/keys/ask", form(robot), headers=HTMX)
    assert "waits for a second administrator" in asked.content.decode()
    assert ApiKey.objects.count() == 0
    with pytest.raises(NotPermitted, match="SELF_APPROVAL"):
        approve(maker)
    shown = client_of(checker).get(f"/approvals/{AuthorisationRequest.objects.get().pk}").content.decode()
    assert "Nobody answers for this service account" in shown
    assert approve(checker) == "applied"
    key = ApiKey.objects.get()
    assert (key.scopes, key.addresses, key.rate) == (
        ["events:read", "orders:read"],
        ["192.0.2.0/24", "2001:db8::/32"],
        5,
    )
    assert "Show its secret" in mine.get("/admin/keys").content.decode()
    assert "Show its secret" not in client_of(checker).get("/admin/keys").content.decode()
    assert client_of(checker).post(f"/admin/keys/{key.pk}/secret", headers=HTMX).status_code == 404
    page = mine.post(f"/admin/keys/{key.pk}/secret", headers=HTMX)
    secret = re.search(r'id="key-secret">(oms_[\w-]{43})<', page.content.decode())
    assert secret
    assert "no-store" in page.headers["Cache-Control"]
    assert mine.post(f"/admin/keys/{key.pk}/secret", headers=HTMX).status_code == 409
    assert secret[1] not in mine.get("/admin/keys").content.decode()
    assert secret[1] not in str(list(Event.objects.values()))
    kinds = list(Event.objects.filter(stream=f"user:{robot.pk}").order_by("seq").values_list("kind", flat=True))
    assert kinds == ["ApiKeyIssued", "ApiKeySecretShown"]


def test_a_secret_nobody_fetched_in_a_day_is_never_shown(world: DeskWorld, robot: User) -> None:
    maker = administrator("ada")
    client_of(maker).post("/admin/keys/ask", form(robot), headers=HTMX)
    approve(administrator("bob"))
    key = ApiKey.objects.get()
    with pytest.raises(Conflict, match="SECRET_SHOWN"):
        show_secret(actor=maker, at=utc_now() + timedelta(days=1, minutes=1), key_id=key.pk)


def test_a_rotation_is_asked_for_and_a_key_is_ended_at_once(world: DeskWorld, robot: User) -> None:
    maker = administrator("ada")
    old = ApiKey.objects.get(pk=issue(robot.pk).id)
    mine = client_of(maker)
    answer = mine.post(f"/admin/keys/{old.pk}/rotate", {"days": "3", "reason": "yearly"}, headers=HTMX)
    assert "waits for a second administrator" in answer.content.decode()
    again = mine.post(f"/admin/keys/{old.pk}/rotate", {"days": "3", "reason": "yearly"}, headers=HTMX)
    assert "DECISION_PENDING" in again.content.decode()
    assert approve(administrator("bob")) == "applied"
    old.refresh_from_db()
    new = ApiKey.objects.get(replaces=old)
    assert old.expires_at is not None
    assert timedelta(days=2, hours=23) < old.expires_at - utc_now() <= timedelta(days=3)
    assert mine.post(f"/admin/keys/{new.pk}/revoke", headers=HTMX).status_code == 200
    new.refresh_from_db()
    assert new.revoked_at is not None


def test_who_answers_for_the_account_does_not_decide_about_its_keys(world: DeskWorld, robot: User) -> None:
    checker = administrator("bob")
    User.objects.filter(pk=robot.pk).update(responsible_id=checker.user_id)
    client_of(administrator("ada")).post("/admin/keys/ask", form(robot), headers=HTMX)
    with pytest.raises(NotPermitted, match="OWN_RIGHTS"):
        approve(checker)
    assert ApiKey.objects.count() == 0


def test_a_key_whose_account_was_disabled_meanwhile_is_not_made(world: DeskWorld, robot: User) -> None:
    client_of(administrator("ada")).post("/admin/keys/ask", form(robot), headers=HTMX)
    User.objects.filter(pk=robot.pk).update(is_active=False)
    assert approve(administrator("bob")) == "not_applied"
    assert ApiKey.objects.count() == 0


WRONG = [
    ({"scopes": []}, "scope"),
    ({"scopes": ["orders:all"]}, "Not known"),
    ({"addresses": "not-a-net"}, "no address"),
    ({"addresses": "192.0.2.1/24"}, "no address"),
    ({"rate": "0"}, "requests a second"),
    ({"rate": "x"}, "whole number"),
    ({"name": " "}, "name of 1"),
    ({"reason": ""}, "Say why"),
    ({"user": ""}, "Choose an account"),
]


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_what_cannot_be_asked_for_is_said_by_field(world: DeskWorld, robot: User, change: Any, said: str) -> None:
    answer = client_of(administrator("ada")).post("/admin/keys/ask", form(robot, **change), headers=HTMX)
    assert said.lower() in answer.content.decode().lower()
    assert AuthorisationRequest.objects.count() == 0


def test_people_and_strangers_get_nothing(world: DeskWorld, robot: User) -> None:
    ada = administrator("ada")
    person_key = client_of(ada).post("/admin/keys/ask", form(robot, user=str(ada.user_id)), headers=HTMX)
    assert "KEY_NEEDS_SERVICE_ACCOUNT" in person_key.content.decode()
    assert client_of(world.dealer).get("/admin/keys").status_code == 403
    key = issue(robot.pk)
    with pytest.raises(NotPermitted):
        request_key_rotation(actor=world.dealer, at=utc_now(), key_id=key.id, reason="mine")
    with pytest.raises(Conflict, match="SECRET_SHOWN"):
        show_secret(actor=ada, at=utc_now(), key_id=key.id)
    with pytest.raises(NotFound):
        show_secret(actor=ada, at=utc_now(), key_id=new_id())
