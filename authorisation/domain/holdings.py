"""Who has what, one holding a grant: since when, given by whom, and what would be left without it. Pure.

A holding is the smallest thing that can end by itself: a user in a role, a right of a role, a right of a role on one desk or
account group, a key. Its origin is the event that gave it; a holding that ended and was given again has another origin.

Invariants: what ``why_held`` lets go leaves no right of ``keepers`` with fewer holders than it needs, unless it had fewer before;
whoever ends several holdings asks again after each, because two that may each go may not both go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from authorisation.domain.access import (
    ACCESS_GRANTED,
    ACCESS_REVOKED,
    API_KEY_ISSUED,
    API_KEY_REVOKED,
    ROLE_JOINED,
    ROLE_LEFT,
    ROLE_RIGHTS_SET,
)
from authorisation.domain.keepers import LEAST_HOLDERS
from journal.domain.records import EventRecord


class HoldingKind(StrEnum):
    """What is held; the order is the order of the lines."""

    MEMBER = "member"
    ROLE_RIGHT = "role_right"
    GRANT = "grant"
    API_KEY = "api_key"


@dataclass(frozen=True, slots=True)
class Holding:
    """``user_id`` of members and keys, ``role`` of all but keys, ``on`` (``app.model:id``) of grants alone."""

    kind: HoldingKind
    role: str = ""
    user_id: int = 0
    right: str = ""
    on: str = ""
    key_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """The event that gave a holding; ``by`` is the actor's text."""

    event_id: UUID
    since: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Holder:
    """A user as far as access is concerned. ``person_id`` is who answers for it: of a person itself, of a service None
    while nobody does."""

    id: int
    username: str
    active: bool
    is_service: bool
    person_id: int | None
    desk_id: int | None = None
    last_seen: datetime | None = None
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LiveKey:
    """A key that is not revoked."""

    id: UUID
    user_id: int
    name: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class AccessWorld:
    """Who has what at one moment, as the tables say it."""

    holders: Mapping[int, Holder]
    members: frozenset[tuple[int, str]] = frozenset()
    role_rights: Mapping[str, frozenset[str]] = field(default_factory=dict)
    grants: frozenset[tuple[str, str, str]] = frozenset()
    keys: Mapping[UUID, LiveKey] = field(default_factory=dict)

    def holdings(self) -> Iterator[Holding]:
        """Every holding, by kind and then by name: the same world gives the same order."""
        for user_id, role in sorted(self.members):
            yield Holding(HoldingKind.MEMBER, role=role, user_id=user_id)
        for role, rights in sorted(self.role_rights.items()):
            for right in sorted(rights):
                yield Holding(HoldingKind.ROLE_RIGHT, role=role, right=right)
        for role, right, on in sorted(self.grants):
            yield Holding(HoldingKind.GRANT, role=role, right=right, on=on)
        for key in sorted(self.keys.values(), key=lambda one: (one.user_id, one.made_at, one.id)):
            yield Holding(HoldingKind.API_KEY, user_id=key.user_id, key_id=key.id)

    def has(self, holding: Holding) -> bool:
        """Whether it is held now."""
        if holding.kind == HoldingKind.MEMBER:
            return (holding.user_id, holding.role) in self.members
        if holding.kind == HoldingKind.ROLE_RIGHT:
            return holding.right in self.role_rights.get(holding.role, frozenset())
        if holding.kind == HoldingKind.GRANT:
            return (holding.role, holding.right, holding.on) in self.grants
        return holding.key_id in self.keys

    def without(self, holding: Holding) -> AccessWorld:
        """The world once the holding has ended."""
        if holding.kind == HoldingKind.MEMBER:
            return replace(self, members=self.members - {(holding.user_id, holding.role)})
        if holding.kind == HoldingKind.ROLE_RIGHT:
            left = self.role_rights.get(holding.role, frozenset()) - {holding.right}
            return replace(self, role_rights={**self.role_rights, holding.role: left})
        if holding.kind == HoldingKind.GRANT:
            return replace(self, grants=self.grants - {(holding.role, holding.right, holding.on)})
        return replace(self, keys={one: key for one, key in self.keys.items() if one != holding.key_id})

    def roles_of(self, user_id: int) -> frozenset[str]:
        """The roles of a user."""
        return frozenset(role for member, role in self.members if member == user_id)

    def members_of(self, role: str) -> frozenset[int]:
        """The users in a role."""
        return frozenset(member for member, held in self.members if held == role)

    def rights_of(self, user_id: int) -> frozenset[str]:
        """All role rights of a user."""
        return frozenset(right for role in self.roles_of(user_id) for right in self.role_rights.get(role, ()))

    def people_with(self, right: str) -> frozenset[int]:
        """Active people, no services, whose roles have the right."""
        roles = {role for role, rights in self.role_rights.items() if right in rights}
        return frozenset(
            member
            for member, role in self.members
            if role in roles and (one := self.holders.get(member)) is not None and one.active and not one.is_service
        )

    def rights_in(self, holding: Holding) -> frozenset[str]:
        """The role rights that somebody may lose when it ends."""
        if holding.kind == HoldingKind.MEMBER:
            return self.role_rights.get(holding.role, frozenset())
        return frozenset({holding.right}) if holding.kind == HoldingKind.ROLE_RIGHT else frozenset()

    def hit_by(self, holding: Holding) -> frozenset[int]:
        """The active users who lose something when it ends."""
        users = {holding.user_id} if holding.user_id else self.members_of(holding.role)
        return frozenset(user for user in users if user in self.holders and self.holders[user].active)


def why_held(world: AccessWorld, holding: Holding) -> str:
    """Why a holding may not end now: the right that would lose a holder it needs. Empty when it may."""
    after = world.without(holding)
    touched = world.rights_in(holding)
    for right, needed in sorted(LEAST_HOLDERS.items()):
        if right not in touched:
            continue
        had, left = len(world.people_with(right)), len(after.people_with(right))
        if left < had and left < needed:
            people = f"{needed} people" if needed > 1 else "one person"
            return f"At least {people} must hold {right}, and {left or 'nobody'} would be left."
    return ""


def take_origin(origins: dict[Holding, Origin], event: EventRecord) -> None:
    """One more event of ``user:<id>`` or ``role:<name>``; what is held already keeps its first origin."""
    named, _, name = event.stream.partition(":")
    origin = Origin(event.id, event.recorded_at, event.on_behalf_of or event.actor)
    if named == "user":
        _take_of_user(origins, event, int(name), origin)
    elif named == "role":
        _take_of_role(origins, event, name, origin)


def _take_of_user(origins: dict[Holding, Origin], event: EventRecord, user_id: int, origin: Origin) -> None:
    payload = event.payload
    if event.kind in (ROLE_JOINED, ROLE_LEFT):
        holding = Holding(HoldingKind.MEMBER, role=payload["role"], user_id=user_id)
    elif event.kind in (API_KEY_ISSUED, API_KEY_REVOKED):
        holding = Holding(HoldingKind.API_KEY, user_id=user_id, key_id=UUID(payload["key_id"]))
    else:
        return
    if event.kind in (ROLE_JOINED, API_KEY_ISSUED):
        origins.setdefault(holding, origin)
    else:
        origins.pop(holding, None)


def _take_of_role(origins: dict[Holding, Origin], event: EventRecord, role: str, origin: Origin) -> None:
    payload = event.payload
    if event.kind == ROLE_RIGHTS_SET:
        rights = {Holding(HoldingKind.ROLE_RIGHT, role=role, right=right) for right in payload["rights"]}
        had = [one for one in origins if one.kind == HoldingKind.ROLE_RIGHT and one.role == role]
        for gone in had:
            if gone not in rights:
                del origins[gone]
        for holding in rights:
            origins.setdefault(holding, origin)
    elif event.kind in (ACCESS_GRANTED, ACCESS_REVOKED):
        for holding in _granted(role, payload["right"], payload["objects"]):
            if event.kind == ACCESS_GRANTED:
                origins.setdefault(holding, origin)
            else:
                origins.pop(holding, None)


def _granted(role: str, right: str, objects: Iterable[str]) -> list[Holding]:
    return [Holding(HoldingKind.GRANT, role=role, right=right, on=name) for name in objects]
