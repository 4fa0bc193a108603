"""Demo people: desks, roles with their rights, what each role may see and trade, and one sign-in per person."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from guardian.shortcuts import assign_perm

from accounts.models import AccountGroup
from authorisation.domain.principal import (
    ADMINISTER_ACCOUNTS,
    ADMINISTER_USERS,
    ENTER_ORDER,
    RELEASE_ORDER,
    TRADE_ACCOUNT_GROUP,
    TRADE_DESK,
    VIEW_ACCOUNT_GROUP,
    VIEW_DESK,
)
from authorisation.models import ApiKey, Desk, User
from kernel.ids import new_id
from oms_project.seed.sign_ins import SignIn

DESKS = {"EQ1": "European equities", "EQ2": "US and Australian equities"}
ROLE_RIGHTS: dict[str, tuple[str, ...]] = {
    "dealer": (ENTER_ORDER,),
    "desk_head": (ENTER_ORDER, RELEASE_ORDER, "switch_trading", "impose_block"),
    "compliance": (RELEASE_ORDER, "switch_trading", "impose_block"),
    "operations": ("switch_trading",),
    "auditor": (),
    "administrator": (ADMINISTER_ACCOUNTS, ADMINISTER_USERS),
    "service": (ENTER_ORDER,),
}
TRADING_ROLES = frozenset({"dealer", "desk_head", "service"})
PASSWORD_LENGTH = 16
PASSWORD_LETTERS = "".join(set(string.ascii_letters + string.digits) - set("0O1lI"))


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """One sign-in: the role, and the desks it is granted on (the first is the person's own)."""

    username: str
    first_name: str
    last_name: str
    persona: str
    desks: tuple[str, ...]
    time_zone: str = "Europe/London"


PEOPLE = (
    PersonPlan("a.khan", "Amira", "Khan", "dealer", ("EQ1",)),
    PersonPlan("j.osei", "Joel", "Osei", "dealer", ("EQ2",), "America/New_York"),
    PersonPlan("m.ruiz", "Marta", "Ruiz", "desk_head", ("EQ1", "EQ2")),
    PersonPlan("c.young", "Claire", "Young", "compliance", ("EQ1", "EQ2")),
    PersonPlan("r.silva", "Rui", "Silva", "operations", ("EQ1", "EQ2")),
    PersonPlan("l.berg", "Lena", "Berg", "auditor", ("EQ1", "EQ2")),
    PersonPlan("t.novak", "Tomas", "Novak", "administrator", ("EQ1", "EQ2")),
    PersonPlan("h.lind", "Hanna", "Lind", "administrator", ("EQ1", "EQ2")),
    PersonPlan("pms-alpha", "", "Portfolio system", "service", ("EQ1", "EQ2")),
)


def seed_desks() -> None:
    """The two desks."""
    for code, name in DESKS.items():
        Desk.objects.get_or_create(code=code, defaults={"name": name})


def seed_people(*, at: datetime, known: Sequence[SignIn]) -> tuple[SignIn, ...]:
    """People with roles and grants; returns a sign-in for each.

    ``known`` sign-ins are kept while their people exist. Whoever has none gets a new random password and a new token,
    and earlier demo tokens of theirs are revoked: passwords and tokens are kept nowhere else.
    """
    kept = {row.username: row for row in known}
    rows: list[SignIn] = []
    with transaction.atomic():
        roles = _seed_roles()
        for plan in PEOPLE:
            user, fresh = User.objects.get_or_create(
                username=plan.username,
                defaults={
                    "first_name": plan.first_name,
                    "last_name": plan.last_name,
                    "persona": plan.persona,
                    "kind": User.Kind.SERVICE if plan.persona == "service" else User.Kind.PERSON,
                    "desk": Desk.objects.get(code=plan.desks[0]) if plan.persona != "service" else None,
                    "time_zone": plan.time_zone,
                },
            )
            user.groups.add(roles[plan.persona], *(_seed_grants(plan.persona, code) for code in plan.desks))
            if fresh or plan.username not in kept:
                rows.append(_new_sign_in(user, at=at))
            else:
                rows.append(kept[plan.username])
    return tuple(rows)


def _seed_roles() -> dict[str, Group]:
    roles: dict[str, Group] = {}
    for name, rights in ROLE_RIGHTS.items():
        roles[name], fresh = Group.objects.get_or_create(name=name)
        if fresh:
            roles[name].permissions.set(Permission.objects.filter(codename__in=rights))
    return roles


def _seed_grants(persona: str, desk_code: str) -> Group:
    """The group ``role:desk`` that holds what the role was granted on the desk and its account groups."""
    group, fresh = Group.objects.get_or_create(name=f"{persona}:{desk_code}")
    if fresh:
        desk = Desk.objects.get(code=desk_code)
        trades = persona in TRADING_ROLES
        _grant(group, [desk], VIEW_DESK, TRADE_DESK if trades else "")
        groups = AccountGroup.objects.filter(desk=desk)
        _grant(group, groups, VIEW_ACCOUNT_GROUP, TRADE_ACCOUNT_GROUP if trades else "")
    return group


def _grant(group: Group, subjects: Iterable[Desk | AccountGroup], *rights: str) -> None:
    for subject in subjects:
        for right in rights:
            if right:
                assign_perm(right, group, subject)


def _new_sign_in(user: User, *, at: datetime) -> SignIn:
    password = None
    if user.kind == User.Kind.SERVICE:
        user.set_unusable_password()
    else:
        password = "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(PASSWORD_LENGTH))
        user.set_password(password)
    user.save()
    ApiKey.objects.filter(user=user, name="demo", revoked_at__isnull=True).update(revoked_at=at)
    token = f"oms_{secrets.token_urlsafe(32)}"
    ApiKey.objects.create(
        id=new_id(),
        user=user,
        name="demo",
        prefix=token[:12],
        digest=hashlib.sha256(token.encode()).hexdigest(),
        created_at=at,
    )
    return SignIn(persona=user.persona, username=user.username, password=password, token=token)
