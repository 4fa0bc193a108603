"""Who might do what is told by events, moment by moment, and equals the tables; what went around the services is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group

from accounts.models import AccountGroup
from authorisation.as_at import get_access_as_at, list_access_differences
from authorisation.domain.principal import ENTER_ORDER, SEE_ACCESS, TRADE_DESK, VIEW_ACCOUNT_GROUP, process_principal
from authorisation.models import Desk, User
from authorisation.selectors import get_principal
from authorisation.services.grant_access import grant_access
from authorisation.services.issue_api_key import issue_api_key
from authorisation.services.join_role import join_role
from authorisation.services.leave_role import leave_role
from authorisation.services.revoke_access import revoke_access
from authorisation.services.revoke_api_key import revoke_api_key
from authorisation.services.set_role_rights import set_role_rights
from journal.models import Event
from kernel.errors import Invalid, NotFound, NotPermitted
from tests.factories import grant

pytestmark = pytest.mark.django_db
ACTOR = process_principal("test")
AT = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)  # behind the history row of the user, which is dated by the wall


def at(minute: int) -> datetime:
    return AT + timedelta(minutes=minute)


@pytest.fixture
def user() -> User:
    """A dealer whose access was changed eight times, a minute apart."""
    user = User.objects.create(username="d.one")
    desks = [Desk.objects.create(code=code, name=code) for code in ("A", "B")]
    group = AccountGroup.objects.create(code="G", name="G", desk=desks[0])
    dealer, desk_a = (Group.objects.create(name=name) for name in ("dealer", "dealer:A"))
    set_role_rights(actor=ACTOR, at=at(1), role=dealer, rights=[ENTER_ORDER, SEE_ACCESS])
    grant_access(actor=ACTOR, at=at(2), group=desk_a, right=TRADE_DESK, objects=desks)
    grant_access(actor=ACTOR, at=at(3), group=desk_a, right=VIEW_ACCOUNT_GROUP, objects=[group])
    assert join_role(actor=ACTOR, at=at(4), user=user, roles=[dealer, desk_a]) == 2
    assert join_role(actor=ACTOR, at=at(4), user=user, roles=[dealer]) == 0
    set_role_rights(actor=ACTOR, at=at(5), role=dealer, rights=[ENTER_ORDER])
    revoke_access(actor=ACTOR, at=at(6), group=desk_a, right=TRADE_DESK, objects=desks[1:])
    key = issue_api_key(actor=ACTOR, at=at(7), user_id=user.pk, name="k")
    revoke_api_key(actor=ACTOR, at=at(8), key_id=key.id)
    assert leave_role(actor=ACTOR, at=at(9), user=user, roles=[dealer, Group.objects.create(name="none")]) == 1
    return user


def test_access_at_each_moment(user: User) -> None:
    a, b = Desk.objects.order_by("code").values_list("pk", flat=True)
    seen = {minute: get_access_as_at(user_id=user.pk, at=at(minute)) for minute in range(3, 10)}
    assert (seen[3].roles, seen[3].rights, dict(seen[3].grants)) == ((), frozenset(), {})
    assert seen[4].roles == ("dealer", "dealer:A")
    assert seen[4].rights == {ENTER_ORDER, SEE_ACCESS}
    assert seen[5].rights == {ENTER_ORDER}
    assert [seen[minute].grants[TRADE_DESK] for minute in (5, 6)] == [{a, b}, {a}]
    assert [len(seen[minute].key_ids) for minute in (6, 7, 8)] == [0, 1, 0]
    assert (seen[9].roles, seen[9].rights, seen[9].active) == (("dealer:A",), frozenset(), True)
    now = get_principal(user)
    assert (seen[9].rights, dict(seen[9].grants)) == (now.rights, dict(now.grants))
    with pytest.raises(NotFound, match="USER_UNKNOWN"):
        get_access_as_at(user_id=user.pk, at=datetime(2020, 1, 1, tzinfo=UTC))


def test_what_went_around_the_services_is_found(user: User) -> None:
    assert list_access_differences(at=at(99)) == []
    grant(Group.objects.get(name="dealer:A"), "view_desk", Desk.objects.get(code="B"))
    (found,) = list_access_differences(at=at(99))
    assert (found.username, "view_desk" in found.tables_say, "view_desk" in found.events_say) == ("d.one", True, False)


def test_only_who_administers_users_changes_roles_and_nothing_else_happens(user: User) -> None:
    before = Event.objects.count()
    nobody = get_principal(user)
    role = Group.objects.get(name="dealer")
    for change in (
        lambda: join_role(actor=nobody, at=at(10), user=user, roles=[role]),
        lambda: leave_role(actor=nobody, at=at(10), user=user, roles=[role]),
        lambda: set_role_rights(actor=nobody, at=at(10), role=role, rights=[]),
    ):
        with pytest.raises(NotPermitted, match="RIGHT_MISSING"):
            change()
    with pytest.raises(Invalid, match="RIGHT_UNKNOWN"):
        set_role_rights(actor=ACTOR, at=at(10), role=role, rights=["fly"])
    assert Event.objects.count() == before
    assert get_principal(user) == nobody
