"""What is known of the use of rights: once a day each, from pages and the API, and nothing when nobody let anybody pass."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from authorisation.domain.principal import ENTER_ORDER, RELEASE_ORDER, process_principal
from authorisation.models import AccessUse
from authorisation.services.issue_api_key import issue_api_key
from authorisation.services.note_uses import note_uses
from kernel.clock import utc_now
from kernel.errors import NotPermitted
from tests.factories.authorisation import AT, principal
from tests.factories.doors import sign_in_as

pytestmark = pytest.mark.django_db


def test_a_right_is_noted_where_a_guard_found_it() -> None:
    actor = principal("ada", rights=(ENTER_ORDER,))
    actor.require(ENTER_ORDER, "no")
    with pytest.raises(NotPermitted):
        actor.require(RELEASE_ORDER, "no")
    assert (actor.uses(ENTER_ORDER), actor.uses(RELEASE_ORDER)) == (True, False)
    assert note_uses(actor=actor, at=AT) == 2
    assert list(AccessUse.objects.order_by("right").values_list("actor", "right", "last_on")) == [
        (actor.actor, "", AT.date()),
        (actor.actor, ENTER_ORDER, AT.date()),
    ]


def test_one_write_a_day_and_never_an_earlier_day() -> None:
    actor = principal("ada", rights=(ENTER_ORDER,))
    assert note_uses(actor=actor, at=AT) == 1
    with CaptureQueriesContext(connection) as sent:
        assert note_uses(actor=actor, at=AT + timedelta(hours=3)) == 0
        assert note_uses(actor=actor, at=AT - timedelta(days=2)) == 0
    assert len(sent) == 0
    AccessUse.objects.update(last_on=AT.date() + timedelta(days=9))  # by another process
    assert note_uses(actor=actor, at=AT + timedelta(days=1)) == 1
    assert AccessUse.objects.get().last_on == AT.date() + timedelta(days=9)


def test_pages_and_the_api_note_who_came_and_what_was_asked_for() -> None:
    actor = principal("ada", rights=(ENTER_ORDER,))
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in_as(actor)
    assert client.get("/preferences").status_code == 200
    assert list(AccessUse.objects.values_list("actor", "right")) == [(actor.actor, "")]
    assert client.get("/o/new").status_code == 200
    assert AccessUse.objects.get(right=ENTER_ORDER).last_on == utc_now().date()
    process = process_principal("test")
    issued = issue_api_key(actor=process, at=utc_now(), user_id=actor.user_id, name="k")
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {issued.token}"}).status_code == 200
    assert AccessUse.objects.filter(actor=f"key:{issued.id}", right="").count() == 1
    AccessUse.objects.all().delete()
    assert Client().get("/preferences").status_code == 302
    assert AccessUse.objects.count() == 0
