"""A service account has a person who answers for it, and a person has nobody."""

from __future__ import annotations

import pytest

from authorisation.domain.principal import process_principal
from authorisation.models import User
from authorisation.selectors import get_principal
from authorisation.services.name_responsible import name_responsible
from journal.models import Event
from kernel.errors import Invalid, NotPermitted
from tests.factories.authorisation import AT, person, principal

pytestmark = pytest.mark.django_db
SEED = process_principal("seed")


def test_the_person_is_named_once_and_told() -> None:
    robot, first, second = person("robot", kind=User.Kind.SERVICE), person("first"), person("second")
    assert [name_responsible(actor=SEED, at=AT, account=robot, person=who) for who in (first, first, second)] == [
        True, False, True,
    ]  # fmt: skip
    told = Event.objects.filter(kind="ResponsibleNamed").order_by("position")
    assert [event.payload for event in told] == [
        {"before": None, "person_id": first.pk},
        {"before": first.pk, "person_id": second.pk},
    ]
    assert get_principal(User.objects.get(pk=robot.pk)).person_id == second.pk


def test_who_may_not_and_who_cannot() -> None:
    robot, somebody = person("robot", kind=User.Kind.SERVICE), person("somebody")
    gone = person("gone", is_active=False)
    with pytest.raises(NotPermitted):
        name_responsible(actor=principal("dealer"), at=AT, account=robot, person=somebody)
    for account, who in ((somebody, robot), (robot, robot), (robot, gone), (somebody, somebody)):
        with pytest.raises(Invalid):
            name_responsible(actor=SEED, at=AT, account=account, person=who)
    assert User.objects.filter(responsible__isnull=False).count() == 0
    assert not Event.objects.filter(kind="ResponsibleNamed").exists()
