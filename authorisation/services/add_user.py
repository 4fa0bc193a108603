"""Write down a new person or service. Nobody signs in as it before a password or a key was given."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.access import USER_ADDED
from authorisation.domain.principal import Principal
from authorisation.domain.right_change import NewUser
from authorisation.models import Desk, User
from authorisation.permissions import require_second_person
from authorisation.services._events import record
from kernel.errors import Conflict, Invalid


def add_user(*, actor: Principal, at: datetime, person: NewUser, decision: UUID | None = None) -> User:
    """The user, without a usable password and without roles.

    Raises NotPermitted SECOND_PERSON_NEEDED, Conflict USERNAME_TAKEN, Invalid PERSON_INVALID for an unknown desk, persona
    or responsible person.
    """
    require_second_person(actor, at=at, decision=decision)
    desk = Desk.objects.filter(code=person.desk).first() if person.desk else None
    responsible = User.objects.filter(username=person.responsible, kind=User.Kind.PERSON, is_active=True).first()
    faults: dict[str, list[str]] = {}
    if person.desk and desk is None:
        faults["desk"] = ["There is no such desk."]
    if person.responsible and responsible is None:
        faults["responsible"] = ["There is no such active person."]
    if person.persona not in User.Persona.values:
        faults["persona"] = ["Choose one of the list."]
    if faults:
        raise Invalid("PERSON_INVALID", "The person cannot be added so.", faults)
    with transaction.atomic():
        if User.objects.filter(username__iexact=person.username).exists():
            raise Conflict("USERNAME_TAKEN", "Somebody has this name already.")
        user = User(
            username=person.username,
            first_name=person.first_name,
            last_name=person.last_name,
            persona=person.persona,
            kind=User.Kind.SERVICE if person.service else User.Kind.PERSON,
            desk=desk,
            responsible=responsible,
        )
        user.set_unusable_password()
        user.save()
        payload = {"username": user.username, "kind": user.kind, "decision": str(decision) if decision else None}
        record(stream=f"user:{user.pk}", kind=USER_ADDED, actor=actor, at=at, payload=payload)
    return user
