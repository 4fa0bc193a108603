"""The first people of an empty house: two administrators, each with a one-time link and nothing else. No secret is built in.

Two, because whatever else there is to be given (people, roles, rights) takes one who asks and one who decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.locks import lock_rights
from authorisation.models import User
from authorisation.services.issue_sign_in_link import issue_sign_in_link
from authorisation.services.join_role import join_role
from kernel.errors import Invalid, Refused
from oms_project.seed.people import seed_roles

_NAME = re.compile(r"[a-z][a-z0-9._-]{2,39}")


def first_run(*, actor: Principal, at: datetime, usernames: Sequence[str]) -> dict[str, str]:
    """The token of each administrator's link, by name. Refused PEOPLE_EXIST in a house that has anybody; Invalid NAMES_WRONG."""
    if len(set(usernames)) != 2 or len(usernames) != 2:
        raise Invalid("NAMES_WRONG", "Name two different people.")
    if not all(_NAME.fullmatch(name) for name in usernames):
        raise Invalid(
            "NAMES_WRONG", "A name has 3 to 40 small letters, digits, dots and hyphens, and begins with a letter."
        )
    with transaction.atomic():
        lock_rights()
        if User.objects.exists():
            raise Refused("PEOPLE_EXIST", "This house has people already; its administrators add others.")
        roles = seed_roles(actor=actor, at=at)
        links = {}
        for name in usernames:
            user = User(username=name, persona=User.Persona.ADMINISTRATOR, kind=User.Kind.PERSON)
            user.set_unusable_password()
            user.save()
            join_role(actor=actor, at=at, user=user, roles=[roles["administrator"]])
            links[name] = issue_sign_in_link(actor=actor, at=at, user_id=user.pk)
    return links
