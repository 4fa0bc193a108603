"""A second administrator's word on a change of rights: approved, it is carried out in the same transaction.

The services that carry it out look again at what does not mix and at who must be left, on the facts of now.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import Group

from authorisation.domain.right_change import ChangeKind, RightChange, from_payload
from authorisation.locks import lock_rights
from authorisation.models import User
from authorisation.permissions import USER_RIGHT
from authorisation.selectors import objects_of_right, rights_of_roles
from authorisation.services.add_user import add_user
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from authorisation.services.enable_user import enable_user
from authorisation.services.grant_access import grant_access
from authorisation.services.join_role import join_role
from authorisation.services.leave_role import leave_role
from authorisation.services.revoke_access import revoke_access
from authorisation.services.set_role_rights import set_role_rights
from kernel.errors import NotPermitted


def _load(asking: Asking) -> RightChange:
    lock_rights()
    return from_payload(asking.payload)


def _guard(asking: Asking, change: RightChange) -> None:
    mine = {asking.actor.user_id}
    user = User.objects.filter(pk=change.user_id).first() if change.user_id is not None else None
    gains = user is not None and not mine.isdisjoint({user.pk, user.responsible_id})
    if change.kind is ChangeKind.GRANT_ACCESS:
        gains = User.objects.filter(pk=asking.actor.user_id, groups__name=change.role).exists()
    if gains:
        raise NotPermitted("OWN_RIGHTS", "It is about your own rights; another administrator must decide.")


def _apply(asking: Asking, change: RightChange) -> Applied:
    _DO[change.kind](asking, change)
    return Applied(f"{change.words}.")


def _decline(asking: Asking, change: RightChange) -> str:
    return "Rights stay as they are."


def _user(change: RightChange) -> User:
    assert change.user_id is not None
    return User.objects.get(pk=change.user_id)


def _role(change: RightChange) -> Group:
    found = Group.objects.filter(name=change.role).first()
    if found is None:
        raise NotApplied(f"There is no role {change.role} any more.")
    return found


def _join(asking: Asking, change: RightChange) -> None:
    if not _user(change).is_active:
        raise NotApplied(f"{change.username} was cut off meanwhile.")
    if change.until is not None and change.until <= asking.at:
        raise NotApplied("The time for which the role was to be lent is over.")
    join_role(
        actor=asking.actor,
        at=asking.at,
        user=_user(change),
        roles=[_role(change)],
        until=change.until,
        decision=asking.facts.id,
    )


def _leave(asking: Asking, change: RightChange) -> None:
    leave_role(actor=asking.actor, at=asking.at, user=_user(change), roles=[_role(change)])


def _set_rights(asking: Asking, change: RightChange) -> None:
    role = _role(change)
    if rights_of_roles([role.pk]) != frozenset(change.was):
        raise NotApplied("The rights of the role were changed after this was asked for.")
    set_role_rights(actor=asking.actor, at=asking.at, role=role, rights=change.rights, decision=asking.facts.id)


def _grant(asking: Asking, change: RightChange) -> None:
    objects = objects_of_right(change.right, change.objects)
    grant_access(
        actor=asking.actor,
        at=asking.at,
        group=_role(change),
        right=change.right,
        objects=objects,
        decision=asking.facts.id,
    )


def _revoke(asking: Asking, change: RightChange) -> None:
    objects = objects_of_right(change.right, change.objects)
    revoke_access(actor=asking.actor, at=asking.at, group=_role(change), right=change.right, objects=objects)


def _add(asking: Asking, change: RightChange) -> None:
    assert change.person is not None
    user = add_user(actor=asking.actor, at=asking.at, person=change.person, decision=asking.facts.id)
    roles = list(Group.objects.filter(name__in=change.person.roles).order_by("name"))
    join_role(actor=asking.actor, at=asking.at, user=user, roles=roles, decision=asking.facts.id)


def _enable(asking: Asking, change: RightChange) -> None:
    assert change.user_id is not None
    enable_user(actor=asking.actor, at=asking.at, user_id=change.user_id, decision=asking.facts.id)


_DO: dict[ChangeKind, Callable[[Asking, RightChange], None]] = {
    ChangeKind.JOIN_ROLE: _join,
    ChangeKind.LEAVE_ROLE: _leave,
    ChangeKind.SET_ROLE_RIGHTS: _set_rights,
    ChangeKind.GRANT_ACCESS: _grant,
    ChangeKind.REVOKE_ACCESS: _revoke,
    ChangeKind.ADD_USER: _add,
    ChangeKind.ENABLE_USER: _enable,
}
_SUBJECT = Subject(USER_RIGHT, _load, _apply, _decline, guard=_guard)
decide_user_right = _SUBJECT.decide
"""Approve or decline; nobody decides about a right of their own (NotPermitted OWN_RIGHTS).

Raises as ``decide_request`` does; then nothing changed.
"""
