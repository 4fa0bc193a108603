"""Rights that do not mix: refused by each service with nothing changed, and by the database whoever asks it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, connection, transaction
from guardian.shortcuts import assign_perm

from authorisation.domain.principal import process_principal
from authorisation.domain.toxic import HARMLESS, PAIRS, trigger_rows
from authorisation.models import User
from authorisation.selectors import get_principal
from authorisation.services.join_role import join_role
from authorisation.services.leave_role import leave_role
from authorisation.services.set_role_rights import set_role_rights
from journal.models import Event
from kernel.errors import Refused
from tests.factories.authorisation import desk, person

pytestmark = pytest.mark.django_db
ACTOR = process_principal("test")
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def role(name: str, *rights: str) -> Group:
    made = Group.objects.create(name=name)
    made.permissions.set(Permission.objects.filter(codename__in=rights))
    return made


@pytest.fixture
def dealer() -> User:
    return person("a.khan", rights=("enter_order",))


def test_every_right_of_the_house_is_weighed() -> None:
    ours = {
        codename for model in apps.get_models() for codename, _ in model._meta.permissions if codename != "trade_desk"
    }
    weighed = HARMLESS.union(*(pair.one | pair.other for pair in PAIRS))
    assert ours - {"trade_accountgroup"} == weighed


def test_a_second_role_is_refused_over_the_union(dealer: User) -> None:
    before = Event.objects.count()
    harmless, checker = role("kill", "engage_kill_switch"), role("checker", "release_order")
    with pytest.raises(Refused, match=r"a\.khan would hold enter_order and release_order together"):
        join_role(actor=ACTOR, at=AT, user=dealer, roles=[harmless, checker])
    assert get_principal(dealer).rights == {"enter_order"}
    assert Event.objects.count() == before
    assert join_role(actor=ACTOR, at=AT, user=dealer, roles=[harmless]) == 1


def test_two_roles_that_do_not_mix_cannot_come_together() -> None:
    user = person("new", rights=())
    with pytest.raises(Refused, match="TOXIC_RIGHTS"):
        join_role(actor=ACTOR, at=AT, user=user, roles=[role("a", "enter_order"), role("b", "ask_risk_change")])
    assert get_principal(user).rights == frozenset()


def test_one_role_for_the_other_is_fine(dealer: User) -> None:
    leave_role(actor=ACTOR, at=AT, user=dealer, roles=list(dealer.groups.all()))
    join_role(actor=ACTOR, at=AT, user=dealer, roles=[role("checker", "release_order")])
    assert get_principal(dealer).rights == {"release_order"}


def test_a_role_cannot_be_made_toxic_alone_nor_for_who_holds_it(dealer: User) -> None:
    nobody = role("nobody yet")
    with pytest.raises(Refused, match="The role nobody yet would hold"):
        set_role_rights(actor=ACTOR, at=AT, role=nobody, rights=["enter_order", "release_order"])
    join_role(actor=ACTOR, at=AT, user=dealer, roles=[nobody])
    with pytest.raises(Refused, match=r"a\.khan would hold"):
        set_role_rights(actor=ACTOR, at=AT, role=nobody, rights=["release_order"])
    assert not nobody.permissions.exists()


def _join(user: User) -> None:
    user.groups.add(role("checker", "release_order"))


def _widen(user: User) -> None:
    group = user.groups.get()
    group.permissions.add(Permission.objects.get(codename="administer_users"))


def _empty_role(user: User) -> None:
    role("both", "enter_order", "release_order")


def _directly(user: User) -> None:
    user.user_permissions.add(Permission.objects.get(codename="release_order"))


def _object_grant(user: User) -> None:
    assign_perm("trade_desk", user, desk())


def _superuser(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_superuser=True)


def _staff(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=True)


@pytest.mark.parametrize("around", [_join, _widen, _empty_role, _directly, _object_grant, _superuser, _staff])
def test_the_database_refuses_who_goes_around_the_services(dealer: User, around: Callable[[User], None]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        around(dealer)
    assert get_principal(dealer).rights == {"enter_order"}


def test_the_database_holds_the_table_of_the_code() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pair, one, other FROM authorisation_toxic_pairs()")
        assert sorted(cursor.fetchall()) == sorted(trigger_rows())
