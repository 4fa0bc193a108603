"""Who might see and do what at a moment: replayed from the events of the user and of the roles, so that it can be proven.

Rights given to a single person by hand, or roles changed around the services, are no events: ``list_access_differences``
finds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from authorisation.domain.access import Membership, RoleAccess, summed
from authorisation.models import User
from authorisation.selectors import get_principal
from journal.selectors.events import records_of_streams
from kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class AccessAsAt:
    """``rights`` and ``grants`` as in a ``Principal``; ``key_ids`` are the keys issued and not revoked by then."""

    user_id: int
    username: str
    active: bool
    roles: tuple[str, ...]
    rights: frozenset[str]
    grants: Mapping[str, frozenset[int]]
    key_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccessDifference:
    """A user whose rights in the tables are others than the events tell; both sides as text."""

    user_id: int
    username: str
    events_say: str
    tables_say: str


def get_access_as_at(*, user_id: int, at: datetime) -> AccessAsAt:
    """The access of a user at a time. Raises NotFound USER_UNKNOWN for one who did not exist then."""
    then = User.history.as_of(at).filter(pk=user_id).first()
    if then is None:
        raise NotFound("USER_UNKNOWN", "There was no such user then.")
    member = _memberships([user_id], at)[user_id]
    rights, grants = summed(_roles(member.roles, at).values())
    return AccessAsAt(
        user_id=user_id,
        username=then.username,
        active=then.is_active,
        roles=tuple(sorted(member.roles)),
        rights=rights,
        grants=grants,
        key_ids=tuple(sorted(member.keys)),
    )


def list_access_differences(*, at: datetime) -> list[AccessDifference]:
    """Users whose access now is another than their events tell: somebody went around the services."""
    users = list(User.objects.order_by("id"))
    members = _memberships([user.pk for user in users], at)
    roles = _roles({name for member in members.values() for name in member.roles}, at)
    found = []
    for user in users:
        told = summed(roles[name] for name in members[user.pk].roles)
        now = get_principal(user)
        if told != (now.rights, now.grants):
            found.append(AccessDifference(user.pk, user.username, _text(*told), _text(now.rights, now.grants)))
    return found


def _memberships(user_ids: Iterable[int], at: datetime) -> dict[int, Membership]:
    members = {user_id: Membership() for user_id in user_ids}
    for event, _ in records_of_streams([f"user:{user_id}" for user_id in members]):
        if event.recorded_at <= at:
            members[int(event.stream.removeprefix("user:"))].take(event)
    return members


def _roles(names: Iterable[str], at: datetime) -> dict[str, RoleAccess]:
    roles = {name: RoleAccess() for name in names}
    for event, _ in records_of_streams([f"role:{name}" for name in roles]):
        if event.recorded_at <= at:
            roles[event.stream.removeprefix("role:")].take(event)
    return roles


def _text(rights: frozenset[str], grants: Mapping[str, frozenset[int]]) -> str:
    granted = [f"{right} on {', '.join(map(str, sorted(ids)))}" for right, ids in sorted(grants.items())]
    return "; ".join([*sorted(rights), *granted]) or "nothing"
