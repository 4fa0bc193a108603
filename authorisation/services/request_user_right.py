"""Ask a second administrator for a change of what somebody may do. Nothing changes before that person's word."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from authorisation.domain.principal import ADMINISTER_USERS, Principal
from authorisation.domain.right_change import ChangeKind, RightChange, faults_of, to_payload
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest, User
from authorisation.permissions import USER_RIGHT
from authorisation.selectors import objects_of_right, require_change_possible, rights_of_roles
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict, Invalid


@dataclass(frozen=True, slots=True)
class UserRightAsked:
    """The question that waits for a second administrator."""

    authorisation_id: UUID
    sentence: str


def request_user_right(*, actor: Principal, at: datetime, change: RightChange) -> UserRightAsked:
    """Ask for it. What would be refused now (a toxic pair, the last holder) is refused here already.

    Raises NotPermitted RIGHT_MISSING, Invalid CHANGE_INVALID, Conflict DECISION_PENDING or NOTHING_CHANGES, Refused
    TOXIC_RIGHTS or LAST_HOLDER; then nothing is kept.
    """
    actor.require(ADMINISTER_USERS, "Changes of rights are asked for by administrators.")
    named = _named(change, at)
    with transaction.atomic():
        waiting = AuthorisationRequest.objects.filter(kind=USER_RIGHT, subject_id=named.subject, state__in=OPEN)
        if waiting.exists():
            raise Conflict("DECISION_PENDING", "A change of the same person or role waits for a second person already.")
        require_change_possible(named)
        raised = raise_request(
            actor=actor,
            at=at,
            kind=USER_RIGHT,
            subject_type=USER_RIGHT,
            subject_id=named.subject,
            subject_version=1,
            payload=to_payload(named),
            summary=named.words[:500],
        )
    return UserRightAsked(raised.id, f"{named.words}: waits for a second administrator.")


def _named(change: RightChange, at: datetime) -> RightChange:
    """With the names of now: the user's, those of the objects, and the rights the role has."""
    faults = faults_of(change, at=at)
    user = User.objects.filter(pk=change.user_id).first() if change.user_id is not None else None
    role = Group.objects.filter(name=change.role).first() if change.role else None
    if change.user_id is not None and user is None:
        faults["user"] = ["There is no such user."]
    if change.role and role is None:
        faults["role"] = ["There is no such role."]
    unknown = set(change.rights) - set(Permission.objects.values_list("codename", flat=True))
    if unknown:
        faults["rights"] = [f"There is no right called {', '.join(sorted(unknown))}."]
    objects = objects_of_right(change.right, change.objects) if change.objects and "objects" not in faults else ()
    if len(objects) != len(set(change.objects)):
        faults["objects"] = ["There is no such object."]
    if change.person is not None:
        missing = set(change.person.roles) - set(Group.objects.values_list("name", flat=True))
        if missing:
            faults["roles"] = [f"There is no role called {', '.join(sorted(missing))}."]
    if faults:
        raise Invalid("CHANGE_INVALID", "The change cannot be asked for so.", faults)
    return replace(
        change,
        username=user.username if user else "",
        was=tuple(sorted(rights_of_roles([role.pk]))) if role and change.kind is ChangeKind.SET_ROLE_RIGHTS else (),
        objects=tuple(sorted(set(change.objects))),
        objects_text=", ".join(str(item) for item in objects),
    )
