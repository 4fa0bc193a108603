"""Demo people: desks, roles with their rights, what each role may see and trade, and one sign-in per person."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import AccountGroup
from allocations.permissions import ALLOCATE_BLOCK, DECIDE_ALLOCATION, DECIDE_POST_TRADE, WORK_POST_TRADE
from authorisation.domain.principal import (
    ADMINISTER_ACCOUNTS,
    ADMINISTER_USERS,
    CANCEL_ORDER,
    DECIDE_RISK_CHANGE,
    DECIDE_STATIC_DATA,
    ENTER_ORDER,
    KEEP_RECORDS,
    RELEASE_ORDER,
    REVIEW_ACCESS,
    RUN_ACCESS_REVIEW,
    SEE_ACCESS,
    TRADE_ACCOUNT_GROUP,
    TRADE_DESK,
    VIEW_ACCOUNT_GROUP,
    VIEW_DESK,
    Principal,
)
from authorisation.domain.toxic import conflicts_of
from authorisation.models import ApiKey, Desk, User
from authorisation.selectors import rights_of_roles
from authorisation.services.grant_access import grant_access
from authorisation.services.issue_api_key import issue_api_key
from authorisation.services.join_role import join_role
from authorisation.services.name_responsible import name_responsible
from authorisation.services.revoke_api_key import revoke_api_key
from authorisation.services.set_role_rights import set_role_rights
from oms_project.seed.accounts import SUSPENSE_GROUP
from oms_project.seed.sign_ins import SignIn
from operations.permissions import CLOSE_EXCEPTION, FORCE_CLOSE_EXCEPTION, SEARCH_AUDIT, WORK_EXCEPTION
from reconciliation.permissions import DECIDE_BREAK, WORK_BREAK
from refdata.permissions import ASK_STATIC_DATA, JUDGE_PRICE
from risk.permissions import ASK_RISK_CHANGE, ENGAGE_KILL_SWITCH, IMPOSE_BLOCK, SEE_RESTRICTIONS, SWITCH_TRADING
from venues.permissions import OPEN_GATE, SWITCH_SESSION

DESKS = {"EQ1": "European equities", "EQ2": "US and Australian equities"}
ROLE_RIGHTS: dict[str, tuple[str, ...]] = {
    "dealer": (ENTER_ORDER, ALLOCATE_BLOCK, ENGAGE_KILL_SWITCH, WORK_EXCEPTION),
    "desk_head": (
        RELEASE_ORDER,
        ALLOCATE_BLOCK,
        CANCEL_ORDER,
        SWITCH_TRADING,
        IMPOSE_BLOCK,
        ENGAGE_KILL_SWITCH,
        ASK_RISK_CHANGE,
        SWITCH_SESSION,
        REVIEW_ACCESS,
        WORK_EXCEPTION,
        CLOSE_EXCEPTION,
        FORCE_CLOSE_EXCEPTION,
    ),
    "compliance": (
        RELEASE_ORDER,
        DECIDE_ALLOCATION,
        SWITCH_TRADING,
        IMPOSE_BLOCK,
        ENGAGE_KILL_SWITCH,
        ASK_RISK_CHANGE,
        DECIDE_RISK_CHANGE,
        DECIDE_STATIC_DATA,
        SEE_RESTRICTIONS,
        SEE_ACCESS,
        SEARCH_AUDIT,
        REVIEW_ACCESS,
        RUN_ACCESS_REVIEW,
        KEEP_RECORDS,
        WORK_EXCEPTION,
        CLOSE_EXCEPTION,
        FORCE_CLOSE_EXCEPTION,
    ),
    "risk": (
        SWITCH_TRADING,
        IMPOSE_BLOCK,
        ENGAGE_KILL_SWITCH,
        ASK_RISK_CHANGE,
        DECIDE_RISK_CHANGE,
        JUDGE_PRICE,
        REVIEW_ACCESS,
        WORK_EXCEPTION,
        CLOSE_EXCEPTION,
    ),
    "operations": (
        SWITCH_TRADING,
        ENGAGE_KILL_SWITCH,
        ASK_STATIC_DATA,
        DECIDE_STATIC_DATA,
        JUDGE_PRICE,
        ADMINISTER_ACCOUNTS,
        SWITCH_SESSION,
        OPEN_GATE,
        WORK_BREAK,
        DECIDE_BREAK,
        ALLOCATE_BLOCK,
        WORK_POST_TRADE,
        DECIDE_POST_TRADE,
        WORK_EXCEPTION,
        CLOSE_EXCEPTION,
    ),
    "auditor": (SEE_ACCESS, SEARCH_AUDIT),
    "administrator": (ADMINISTER_USERS, SEE_ACCESS, WORK_EXCEPTION),
    "service": (ENTER_ORDER,),
}
TRADING_ROLES = frozenset({"dealer", "desk_head", "service"})  # granted desks to act on: a desk head to cancel
ANSWERS_FOR_SERVICES = "t.novak"  # listed before the service accounts, and decides about no orders
KEY_NAME = "demo"
PASSWORD_LENGTH = 16
PASSWORD_LETTERS = "".join(set(string.ascii_letters + string.digits) - set("0O1lI"))


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """One sign-in: the role, and the desks it is granted on (the first is the person's own; none for who administers)."""

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
    PersonPlan("d.okoro", "Daniel", "Okoro", "compliance", ("EQ1", "EQ2")),
    PersonPlan("s.patel", "Sunita", "Patel", "risk", ("EQ1", "EQ2")),
    PersonPlan("r.silva", "Rui", "Silva", "operations", ("EQ1", "EQ2")),
    PersonPlan("b.ferri", "Bruno", "Ferri", "operations", ("EQ1", "EQ2")),
    PersonPlan("l.berg", "Lena", "Berg", "auditor", ("EQ1", "EQ2")),
    PersonPlan("t.novak", "Tomas", "Novak", "administrator", ()),
    PersonPlan("h.lind", "Hanna", "Lind", "administrator", ()),
    PersonPlan("pms-alpha", "", "Portfolio system", "service", ("EQ1", "EQ2")),
)


def seed_desks() -> None:
    """The two desks."""
    for code, name in DESKS.items():
        Desk.objects.get_or_create(code=code, defaults={"name": name})


def seed_people(*, actor: Principal, at: datetime, known: Sequence[SignIn]) -> tuple[SignIn, ...]:
    """People with roles and grants; returns a sign-in for each.

    ``known`` sign-ins are kept while their people exist. Whoever has none gets a new random password and a new token,
    and earlier demo tokens of theirs are revoked: passwords and tokens are kept nowhere else.
    """
    kept = {row.username: row for row in known}
    rows: list[SignIn] = []
    with transaction.atomic():
        roles = seed_roles(actor=actor, at=at)
        for plan in PEOPLE:
            user, fresh = User.objects.get_or_create(
                username=plan.username,
                defaults={
                    "first_name": plan.first_name,
                    "last_name": plan.last_name,
                    "persona": plan.persona,
                    "kind": User.Kind.SERVICE if plan.persona == "service" else User.Kind.PERSON,
                    "desk": Desk.objects.get(code=plan.desks[0]) if plan.desks and plan.persona != "service" else None,
                    "time_zone": plan.time_zone,
                },
            )
            if user.kind == User.Kind.SERVICE and user.responsible_id is None:
                person = User.objects.get(username=ANSWERS_FOR_SERVICES)
                name_responsible(actor=actor, at=at, account=user, person=person)
            grants = [_seed_grants(plan.persona, code, actor=actor, at=at) for code in plan.desks]
            join_role(actor=actor, at=at, user=user, roles=[roles[plan.persona], *grants])
            if fresh or plan.username not in kept:
                rows.append(_new_sign_in(user, actor=actor, at=at))
            else:
                rows.append(kept[plan.username])
    return tuple(rows)


def seed_roles(*, actor: Principal, at: datetime) -> dict[str, Group]:
    """Every role with its rights, where it is missing; what people changed stays."""
    roles: dict[str, Group] = {}
    for name, rights in ROLE_RIGHTS.items():
        roles[name], fresh = Group.objects.get_or_create(name=name)
        # A role of an earlier demo that holds what does not mix is set right; others stay as people changed them.
        if fresh or conflicts_of(rights_of_roles([roles[name].pk])):
            set_role_rights(actor=actor, at=at, role=roles[name], rights=rights)
    return roles


def _seed_grants(persona: str, desk_code: str, *, actor: Principal, at: datetime) -> Group:
    """The group ``role:desk`` that holds what the role was granted on the desk and its account groups."""
    group, fresh = Group.objects.get_or_create(name=f"{persona}:{desk_code}")
    if fresh:
        desks = list(Desk.objects.filter(code=desk_code))
        groups = list(AccountGroup.objects.filter(desk__code=desk_code).order_by("code"))
        grant_access(actor=actor, at=at, group=group, right=VIEW_DESK, objects=desks)
        grant_access(actor=actor, at=at, group=group, right=VIEW_ACCOUNT_GROUP, objects=groups)
        if persona in TRADING_ROLES:
            grant_access(actor=actor, at=at, group=group, right=TRADE_DESK, objects=desks)
            traded = [one for one in groups if not one.code.endswith(SUSPENSE_GROUP)]
            grant_access(actor=actor, at=at, group=group, right=TRADE_ACCOUNT_GROUP, objects=traded)
    return group


def _new_sign_in(user: User, *, actor: Principal, at: datetime) -> SignIn:
    password = None
    if user.kind == User.Kind.SERVICE:
        user.set_unusable_password()
    else:
        password = "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(PASSWORD_LENGTH))
        user.set_password(password)
    user.save()
    for key_id in ApiKey.objects.filter(user=user, name=KEY_NAME, revoked_at__isnull=True).values_list("id", flat=True):
        revoke_api_key(actor=actor, at=at, key_id=key_id)
    issued = issue_api_key(actor=actor, at=at, user_id=user.pk, name=KEY_NAME)
    return SignIn(persona=user.persona, username=user.username, password=password, token=issued.token)
