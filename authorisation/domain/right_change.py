"""One change of what somebody may do, as it is asked for, kept in a request and carried out. Pure.

A change names people by id and roles by name, because both outlive the request; it carries what the maker saw
(``was``), so that a change of something that moved since is not carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from authorisation.domain.principal import TRADE_ACCOUNT_GROUP, TRADE_DESK, VIEW_ACCOUNT_GROUP, VIEW_DESK
from kernel.errors import Invalid

OBJECT_RIGHTS = (VIEW_DESK, TRADE_DESK, VIEW_ACCOUNT_GROUP, TRADE_ACCOUNT_GROUP)
MAX_REASON = 500


class ChangeKind(StrEnum):
    """What a request about rights may ask for."""

    JOIN_ROLE = "join_role"
    LEAVE_ROLE = "leave_role"
    SET_ROLE_RIGHTS = "set_role_rights"
    GRANT_ACCESS = "grant_access"
    REVOKE_ACCESS = "revoke_access"
    ADD_USER = "add_user"
    ENABLE_USER = "enable_user"


_PERSON = frozenset({ChangeKind.JOIN_ROLE, ChangeKind.LEAVE_ROLE, ChangeKind.ENABLE_USER})
_ROLE = frozenset({ChangeKind.JOIN_ROLE, ChangeKind.LEAVE_ROLE, *list(ChangeKind)[2:5]})
_OBJECTS = frozenset({ChangeKind.GRANT_ACCESS, ChangeKind.REVOKE_ACCESS})


@dataclass(frozen=True, slots=True)
class NewUser:
    """Somebody who is not there yet. ``desk`` is its code; ``responsible`` the user who answers for a service account."""

    username: str
    first_name: str = ""
    last_name: str = ""
    persona: str = "dealer"
    service: bool = False
    desk: str = ""
    responsible: str = ""
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RightChange:
    """``rights`` are all rights a role shall have and ``was`` those it had; ``objects`` ids for the object right ``right``."""

    kind: ChangeKind
    reason: str
    user_id: int | None = None
    username: str = ""
    role: str = ""
    until: datetime | None = None
    rights: tuple[str, ...] = ()
    was: tuple[str, ...] = ()
    right: str = ""
    objects: tuple[int, ...] = ()
    objects_text: str = ""
    person: NewUser | None = field(default=None)

    @property
    def subject(self) -> str:
        """What the change is about, one of them at a time."""
        if self.person is not None:
            return f"user:{self.person.username}"
        return f"user:{self.user_id}" if self.user_id is not None else f"role:{self.role}"

    @property
    def words(self) -> str:
        """One line for lists."""
        until = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        name = self.person.username if self.person else self.username
        return {
            ChangeKind.JOIN_ROLE: f"{name} joins the role {self.role}{until}",
            ChangeKind.LEAVE_ROLE: f"{name} leaves the role {self.role}",
            ChangeKind.SET_ROLE_RIGHTS: f"The role {self.role} has the rights {', '.join(self.rights) or 'none'}",
            ChangeKind.GRANT_ACCESS: f"The role {self.role} is granted {self.right} on {self.objects_text}",
            ChangeKind.REVOKE_ACCESS: f"The role {self.role} loses {self.right} on {self.objects_text}",
            ChangeKind.ADD_USER: f"{name} is added",
            ChangeKind.ENABLE_USER: f"{name} may sign in again",
        }[self.kind]


def faults_of(change: RightChange, *, at: datetime) -> dict[str, list[str]]:
    """What is missing or does not belong, by field; empty when it can be asked for."""
    faults: dict[str, list[str]] = {}
    if not change.reason.strip() or len(change.reason) > MAX_REASON:
        faults["reason"] = [f"Say why, in at most {MAX_REASON} characters."]
    if change.kind in _PERSON and change.user_id is None:
        faults["user"] = ["Say whose."]
    if change.kind in _ROLE and not change.role:
        faults["role"] = ["Name the role."]
    if change.until is not None and (change.kind is not ChangeKind.JOIN_ROLE or change.until <= at):
        faults["until"] = ["A role is lent until a time that is still to come."]
    if change.kind in _OBJECTS and (change.right not in OBJECT_RIGHTS or not change.objects):
        faults["objects"] = ["Choose a right and what it is granted on."]
    if change.kind is ChangeKind.ADD_USER:
        faults |= _faults_of_new(change.person)
    return faults


def _faults_of_new(person: NewUser | None) -> dict[str, list[str]]:
    if person is None or not person.username.replace(".", "").replace("-", "").isalnum() or len(person.username) > 40:
        return {"username": ["Letters, digits, dots and hyphens; at most 40."]}
    if person.service and not person.responsible:
        return {"responsible": ["Name the person who answers for a service account."]}
    return {}


def to_payload(change: RightChange) -> dict[str, Any]:
    """As plain JSON, every field."""
    person = change.person
    return {
        "change": change.kind.value,
        "reason": change.reason.strip(),
        "user_id": change.user_id,
        "username": change.username,
        "role": change.role,
        "until": change.until.isoformat() if change.until else None,
        "rights": sorted(change.rights),
        "was": sorted(change.was),
        "right": change.right,
        "objects": sorted(change.objects),
        "objects_text": change.objects_text,
        "person": None
        if person is None
        else {name: getattr(person, name) for name in NewUser.__dataclass_fields__} | {"roles": list(person.roles)},
    }


def from_payload(payload: Mapping[str, Any]) -> RightChange:
    """The change that was asked for; raises Invalid CHANGE_UNKNOWN for a kind this build does not know."""
    try:
        kind = ChangeKind(payload["change"])
    except ValueError as error:
        raise Invalid("CHANGE_UNKNOWN", "This build does not know such a change of rights.") from error
    person = payload["person"]
    return RightChange(
        kind=kind,
        reason=payload["reason"],
        user_id=payload["user_id"],
        username=payload["username"],
        role=payload["role"],
        until=datetime.fromisoformat(payload["until"]) if payload["until"] else None,
        rights=tuple(payload["rights"]),
        was=tuple(payload["was"]),
        right=payload["right"],
        objects=tuple(payload["objects"]),
        objects_text=payload["objects_text"],
        person=NewUser(**person | {"roles": tuple(person["roles"])}) if person else None,
    )
