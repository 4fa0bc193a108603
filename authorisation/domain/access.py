"""What a user may do, as the events of the user and of the roles tell it: joined and left, rights set, grants made and taken. Pure.

Invariant: for a house whose roles and grants were only changed through services, the result equals what
``selectors.get_principal`` reads from the tables at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from journal.domain.records import EventRecord

ROLE_JOINED = "RoleJoined"
ROLE_LEFT = "RoleLeft"
ROLE_RIGHTS_SET = "RoleRightsSet"
ACCESS_GRANTED = "AccessGranted"
ACCESS_REVOKED = "AccessRevoked"
USER_ADDED = "UserAdded"
USER_ENABLED = "UserEnabled"
USER_DISABLED = "UserDisabled"
API_KEY_ISSUED = "ApiKeyIssued"
API_KEY_REVOKED = "ApiKeyRevoked"


@dataclass(slots=True)
class Membership:
    """Of one user: roles held, and live keys by id."""

    roles: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)

    def take(self, event: EventRecord) -> None:
        """One more event of ``user:<id>``; other kinds change nothing."""
        payload = event.payload
        if event.kind == ROLE_JOINED:
            self.roles.add(payload["role"])
        elif event.kind == ROLE_LEFT:
            self.roles.discard(payload["role"])
        elif event.kind == API_KEY_ISSUED:
            self.keys.add(payload["key_id"])
        elif event.kind == API_KEY_REVOKED:
            self.keys.discard(payload["key_id"])


@dataclass(slots=True)
class RoleAccess:
    """Of one role: rights by codename, and the objects (``app.model:id``) each object right was granted on."""

    rights: frozenset[str] = frozenset()
    grants: dict[str, set[str]] = field(default_factory=dict)

    def take(self, event: EventRecord) -> None:
        """One more event of ``role:<name>``; other kinds change nothing."""
        payload = event.payload
        if event.kind == ROLE_RIGHTS_SET:
            self.rights = frozenset(payload["rights"])
        elif event.kind == ACCESS_GRANTED:
            self.grants.setdefault(payload["right"], set()).update(payload["objects"])
        elif event.kind == ACCESS_REVOKED:
            self.grants.setdefault(payload["right"], set()).difference_update(payload["objects"])


def summed(roles: Iterable[RoleAccess]) -> tuple[frozenset[str], Mapping[str, frozenset[int]]]:
    """Rights and object grants of somebody who holds all the roles, in the shape of a ``Principal``."""
    rights: set[str] = set()
    grants: dict[str, set[int]] = {}
    for role in roles:
        rights |= role.rights
        for right, objects in role.grants.items():
            grants.setdefault(right, set()).update(int(name.rpartition(":")[2]) for name in objects)
    return frozenset(rights), {right: frozenset(ids) for right, ids in grants.items() if ids}
