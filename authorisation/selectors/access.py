"""Who holds what, and what a change of it would do: the reads behind the page of access and the effect of a request."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import models
from guardian.models import GroupObjectPermission

from authorisation.domain.access import ROLE_JOINED
from authorisation.domain.keepers import require_kept, too_few
from authorisation.domain.principal import Principal
from authorisation.domain.right_change import OBJECT_RIGHTS, ChangeKind, RightChange
from authorisation.domain.toxic import Conflict, conflicts_of, require_harmless
from authorisation.models import ApiKey, RoleTerm, User
from authorisation.selectors.people import get_principal, holders_by_right, rights_of_roles
from journal.selectors.events import told_in_streams
from kernel.errors import Conflict as Clash

DORMANT_AFTER = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class RoleHeld:
    """A role of somebody: since when and by whom, where its event is there, and until when where it was lent."""

    name: str
    since: datetime | None
    given_by: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class PersonAccess:
    """Somebody with roles, rights and what is wrong with them. ``dormant``: active, and not signed in for 45 days."""

    user: User
    roles: tuple[RoleHeld, ...]
    rights: frozenset[str]
    conflicts: tuple[Conflict, ...]
    live_keys: int
    dormant: bool


def list_people_access(*, at: datetime) -> list[PersonAccess]:
    """Everybody, active people first, by name; six statements for any number."""
    users = list(User.objects.exclude(username="AnonymousUser").order_by("-is_active", "username"))
    ids = [user.pk for user in users]
    held: dict[int, list[str]] = {}
    for user_id, name in User.groups.through.objects.filter(user_id__in=ids).values_list("user_id", "group__name"):
        held.setdefault(user_id, []).append(name)
    rights: dict[str, set[str]] = {}
    for name, codename in Group.permissions.through.objects.values_list("group__name", "permission__codename"):
        rights.setdefault(name, set()).add(codename)
    until = {
        (user_id, name): end
        for user_id, name, end in RoleTerm.objects.filter(ended_at=None).values_list("user_id", "role__name", "until")
    }
    given = _given(ids)
    live = ApiKey.objects.filter(revoked_at=None).exclude(expires_at__lte=at).values_list("user_id")
    keys = dict(live.annotate(count=models.Count("id")))
    found = []
    for user in users:
        names = sorted(held.get(user.pk, []))
        own = frozenset().union(*(rights.get(name, set()) for name in names))
        roles = [_held(name, given.get((user.pk, name)), until.get((user.pk, name))) for name in names]
        seen = user.last_login or user.date_joined
        dormant = user.is_active and user.kind == User.Kind.PERSON and at - seen > DORMANT_AFTER
        found.append(PersonAccess(user, tuple(roles), own, conflicts_of(own), keys.get(user.pk, 0), dormant))
    return found


def _held(name: str, given: tuple[datetime, str] | None, until: datetime | None) -> RoleHeld:
    since, given_by = given or (None, "")
    return RoleHeld(name, since, given_by, until)


def _given(user_ids: Iterable[int]) -> dict[tuple[int, str], tuple[datetime, str]]:
    """By user and role, when it was joined last and by whom."""
    events = told_in_streams([f"user:{user_id}" for user_id in user_ids], kind=ROLE_JOINED)
    names = dict(User.objects.values_list("pk", "username"))
    found = {}
    for event in events:
        by = names.get(int(event.actor.removeprefix("user:"))) if event.actor.startswith("user:") else None
        found[int(event.stream.removeprefix("user:")), event.payload["role"]] = (event.recorded_at, by or event.actor)
    return found


def list_grants(role_ids: Collection[int]) -> dict[int, dict[str, tuple[int, ...]]]:
    """By role, the ids on which each object right was granted."""
    found: dict[int, dict[str, tuple[int, ...]]] = {}
    rows = GroupObjectPermission.objects.filter(group_id__in=role_ids, permission__codename__in=OBJECT_RIGHTS)
    for role_id, right, pk in rows.values_list("group_id", "permission__codename", "object_pk"):
        own = found.setdefault(role_id, {})
        own[right] = tuple(sorted({*own.get(right, ()), int(pk)}))
    return found


def objects_of_right(right: str, ids: Collection[int] | None = None) -> list[models.Model]:
    """The objects a right can be granted on (desks or account groups), all or those of the ids, by id."""
    permission = Permission.objects.select_related("content_type").get(codename=right)
    model: Any = permission.content_type.model_class()
    rows = model.objects.order_by("pk")
    return list(rows if ids is None else rows.filter(pk__in=ids))


@dataclass(frozen=True, slots=True)
class Affected:
    """Somebody before and after a change."""

    before: Principal
    after: Principal

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        return conflicts_of(self.after.rights)


def affected_by(change: RightChange) -> list[Affected]:
    """Everybody whose rights or grants the change would move, on the facts of now; a person to be added stands alone."""
    if change.person is not None:
        nobody = Principal(user_id=-1, username=change.person.username, actor="", persona=change.person.persona)
        return [Affected(nobody, _with_roles(nobody, change.person.roles))]
    if change.user_id is not None:
        users = list(User.objects.filter(pk=change.user_id))
    else:
        users = list(User.objects.filter(groups__name=change.role).order_by("username"))
    return [Affected(get_principal(user), _after(user, change)) for user in users]


def _after(user: User, change: RightChange) -> Principal:
    roles = set(user.groups.values_list("name", flat=True))
    before = get_principal(user)
    if change.kind is ChangeKind.JOIN_ROLE:
        return _with_roles(before, roles | {change.role})
    if change.kind is ChangeKind.LEAVE_ROLE:
        return _with_roles(before, roles - {change.role})
    if change.kind is ChangeKind.SET_ROLE_RIGHTS:
        beside = _with_roles(before, roles - {change.role})
        return replace(before, rights=beside.rights | frozenset(change.rights))
    if change.kind is ChangeKind.GRANT_ACCESS:
        more = before.granted(change.right) | frozenset(change.objects)
        return replace(before, grants={**before.grants, change.right: more})
    if change.kind is ChangeKind.REVOKE_ACCESS:
        elsewhere = _with_roles(before, roles - {change.role}).granted(change.right)
        left = (before.granted(change.right) - frozenset(change.objects)) | elsewhere
        return replace(before, grants={**before.grants, change.right: left})
    return before


def _with_roles(principal: Principal, roles: Collection[str]) -> Principal:
    ids = list(Group.objects.filter(name__in=roles).values_list("pk", flat=True))
    grants: dict[str, frozenset[int]] = {}
    for own in list_grants(ids).values():
        for right, objects in own.items():
            grants[right] = grants.get(right, frozenset()) | frozenset(objects)
    return replace(principal, rights=rights_of_roles(ids), grants=grants)


def require_change_possible(change: RightChange) -> None:
    """Raise what carrying it out now would raise: TOXIC_RIGHTS, LAST_HOLDER, NOTHING_CHANGES."""
    hit = affected_by(change)
    if change.kind is ChangeKind.SET_ROLE_RIGHTS:
        require_harmless(change.rights, holder=f"The role {change.role}")
        if set(change.rights) == set(change.was):
            raise Clash("NOTHING_CHANGES", "The role has these rights already.")
    elif change.user_id is None:
        pass  # granting or revoking twice is harmless
    elif change.kind is not ChangeKind.ENABLE_USER:
        held = User.objects.filter(pk=change.user_id, groups__name=change.role).exists()
        if held is (change.kind is ChangeKind.JOIN_ROLE):
            raise Clash("NOTHING_CHANGES", f"{change.username} has that already.")
    elif User.objects.filter(pk=change.user_id, is_active=True).exists():
        raise Clash("NOTHING_CHANGES", f"{change.username} may sign in already.")
    for one in hit:
        require_harmless(one.after.rights, holder=one.after.username)
    before, after = holders_by_right(), holders_after(hit)
    require_kept(before, after)


def holders_after(hit: Collection[Affected]) -> Mapping[str, int]:
    """How many would hold each right."""
    counts = dict(holders_by_right())
    active = set(User.objects.filter(is_active=True, kind=User.Kind.PERSON).values_list("pk", flat=True))
    for one in hit:
        if one.before.user_id in active:
            for right in one.before.rights - one.after.rights:
                counts[right] = counts.get(right, 0) - 1
    return counts


def short_of(hit: Collection[Affected]) -> tuple[str, ...]:
    """Rights that too few people would be left with."""
    return too_few(holders_by_right(), holders_after(hit))
