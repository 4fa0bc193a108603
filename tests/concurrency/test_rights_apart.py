"""Two administrators give one person two roles that do not mix, at the same moment: one is refused."""

from __future__ import annotations

from functools import partial

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError

from authorisation.domain.principal import process_principal
from authorisation.models import User
from authorisation.selectors import get_principal
from authorisation.services.join_role import join_role
from kernel.errors import Refused
from tests.concurrency.threads import together
from tests.factories.authorisation import AT, person

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = process_principal("test")


def role(name: str, right: str) -> Group:
    made = Group.objects.create(name=name)
    made.permissions.set(Permission.objects.filter(codename=right))
    return made


@pytest.mark.parametrize("by_service", [True, False])
def test_only_one_of_two_roles_is_joined(by_service: bool) -> None:
    user = person("both", rights=())
    roles = [role("dealer", "enter_order"), role("checker", "release_order")]

    def give(one: Group) -> None:
        own = User.objects.get(pk=user.pk)
        if by_service:
            join_role(actor=ACTOR, at=AT, user=own, roles=[one])
        else:
            own.groups.add(one)

    results = together([partial(give, one) for one in roles])
    refused = [one for one in results if isinstance(one, Refused if by_service else IntegrityError)]
    assert len(refused) == 1
    assert len(get_principal(user).rights) == 1
