"""Who has what now, from the tables, and which event gave it, from the journal.

Read the tables first: what an event tells afterwards and the tables did not hold yet is nobody's line, and a grant without its
event is never taken for another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db.models import Max, Q
from guardian.models import GroupObjectPermission

from authorisation.domain.holdings import AccessWorld, Holder, Holding, LiveKey, Origin, take_origin
from authorisation.models import AccessUse, ApiKey, Desk, User
from journal.selectors.events import records_of_streams


@dataclass(frozen=True, slots=True)
class Uses:
    """The last day of each right by actor text; ``seen`` the last day anything was asked for."""

    by_right: Mapping[tuple[str, str], date] = field(default_factory=dict)
    seen: Mapping[str, date] = field(default_factory=dict)

    def last(self, actors: Iterable[str], rights: Iterable[str]) -> date | None:
        """The latest day any of the actors used any of the rights."""
        wanted = list(rights)
        days = [self.by_right[actor, right] for actor in actors for right in wanted if (actor, right) in self.by_right]
        return max(days, default=None)

    def last_seen(self, actors: Iterable[str]) -> date | None:
        """The latest day any of the actors came."""
        return max((self.seen[actor] for actor in actors if actor in self.seen), default=None)


@dataclass(frozen=True, slots=True)
class NamedObject:
    """What a right was granted on: its name, and the desk it belongs to."""

    name: str
    desk_id: int | None


def get_access_world(*, at: datetime) -> AccessWorld:
    """Everything that is held at this moment: six statements, whatever the size. Keys that ran out are not held."""
    live = ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=at), revoked_at=None)
    rights: dict[str, set[str]] = {name: set() for name in Group.objects.values_list("name", flat=True)}
    for name, codename in Group.permissions.through.objects.values_list("group__name", "permission__codename"):
        rights[name].add(codename)
    grants = GroupObjectPermission.objects.values_list(
        "group__name", "permission__codename", "content_type__app_label", "content_type__model", "object_pk"
    )
    return AccessWorld(
        holders={user.pk: _holder(user) for user in User.objects.all()},
        members=frozenset(User.groups.through.objects.values_list("user_id", "group__name")),
        role_rights={name: frozenset(held) for name, held in rights.items()},
        grants=frozenset((role, right, f"{app}.{model}:{pk}") for role, right, app, model, pk in grants),
        keys={key.id: LiveKey(key.id, key.user_id, key.name, key.created_at) for key in live},
    )


def _holder(user: User) -> Holder:
    is_service = user.kind == User.Kind.SERVICE
    return Holder(
        id=user.pk,
        username=user.username,
        active=user.is_active,
        is_service=is_service,
        person_id=user.responsible_id if is_service else user.pk,
        desk_id=user.desk_id,
        last_seen=user.last_login,
        made_at=user.date_joined,
    )


def get_origins(world: AccessWorld) -> dict[Holding, Origin]:
    """Which event gave each holding that stands, by what the users' and roles' own streams tell."""
    users = [f"user:{user_id}" for user_id in world.holders]
    roles = [f"role:{role}" for role in world.role_rights]
    origins: dict[Holding, Origin] = {}
    for event, _ in records_of_streams([*users, *roles]):
        take_origin(origins, event)
    return origins


def get_uses(world: AccessWorld) -> Uses:
    """What was used when, sign-ins included."""
    rows: list[Any] = list(AccessUse.objects.values_list("actor", "right").annotate(day=Max("last_on")))
    seen = {f"user:{one.id}": one.last_seen.date() for one in world.holders.values() if one.last_seen}
    for actor, _, day in rows:
        seen[actor] = max(day, seen.get(actor, day))
    return Uses({(actor, right): day for actor, right, day in rows if right}, seen)


def name_objects(names: Iterable[str]) -> dict[str, NamedObject]:
    """``app.model:id`` in words; one that is no longer there keeps its text. One statement a kind of object."""
    wanted: dict[str, dict[str, str]] = {}
    for name in names:
        label, _, pk = name.partition(":")
        wanted.setdefault(label, {})[pk] = name
    found: dict[str, NamedObject] = {}
    for label, by_pk in wanted.items():
        app, _, model = label.partition(".")
        kind = ContentType.objects.get_by_natural_key(app, model).model_class()
        rows: Iterable[Any] = kind._default_manager.filter(pk__in=by_pk) if kind is not None else ()
        for row in rows:
            desk_id = row.pk if isinstance(row, Desk) else getattr(row, "desk_id", None)
            found[by_pk[str(row.pk)]] = NamedObject(str(row), desk_id)
        found |= {name: NamedObject(name, None) for name in by_pk.values() if name not in found}
    return found
