"""What is known of the use of rights: once a day each, from pages and the API, and nothing when nobody let anybody pass."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authorisation.domain.principal import ENTER_ORDER, RELEASE_ORDER
from authorisation.models import AccessUse
from authorisation.services.note_uses import note_uses
from kernel.errors import NotPermitted
from tests.factories.authorisation import AT, principal

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
