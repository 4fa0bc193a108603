"""Reads about people, keys and what they were granted."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models import Count, Q, QuerySet

from authorisation.domain.four_eyes import visible_desks
from authorisation.domain.principal import Principal
from authorisation.domain.stepping_up import ALWAYS
from authorisation.models import ApiKey, Desk, User
from journal.bulk import raw_cursor

_RIGHTS = """
SELECT p.codename, NULL::bigint AS object_id
  FROM authorisation_user_groups ug
  JOIN auth_group_permissions gp ON gp.group_id = ug.group_id
  JOIN auth_permission p ON p.id = gp.permission_id
 WHERE ug.user_id = {user}
 UNION
SELECT p.codename, g.object_pk::bigint
  FROM authorisation_user_groups ug
  JOIN guardian_groupobjectpermission g ON g.group_id = ug.group_id
  JOIN auth_permission p ON p.id = g.permission_id
 WHERE ug.user_id = {user}
"""
_RIGHTS_OF_USER = _RIGHTS.format(user="%s")
_RIGHTS_OF_USERS = f"""
SELECT u.id, r.codename, r.object_id
  FROM authorisation_user u CROSS JOIN LATERAL ({_RIGHTS.format(user="u.id")}) AS r
 WHERE u.id = ANY(%s)
"""  # noqa: S608


def _columns(model: type[models.Model], alias: str) -> tuple[tuple[str, ...], str]:
    fields = model._meta.concrete_fields
    return tuple(f.attname for f in fields), ", ".join(f'{alias}."{f.column}"' for f in fields)


_KEY_FIELDS, _KEY_COLUMNS = _columns(ApiKey, "k")
_USER_FIELDS, _USER_COLUMNS = _columns(User, "u")
_CALLERS = f"""
SELECT {_KEY_COLUMNS}, {_USER_COLUMNS}, r.codenames, r.object_ids
  FROM authorisation_apikey k
  JOIN authorisation_user u ON u.id = k.user_id
  LEFT JOIN LATERAL (
       SELECT array_agg(one.codename::text) AS codenames, array_agg(one.object_id) AS object_ids
         FROM ({_RIGHTS.format(user="u.id")}) AS one
       ) AS r ON true
"""  # noqa: S608
_CALLER = f"{_CALLERS} WHERE k.digest = %s AND k.revoked_at IS NULL AND u.is_active AND (k.expires_at IS NULL OR k.expires_at > %s)"
_SIGNER = f"{_CALLERS} WHERE k.id = %s AND k.scheme = 'signed'"


def get_principal(user: User, *, actor: str | None = None, must_confirm: bool | None = None) -> Principal:
    """The user with role rights and object grants of now: one statement.

    ``must_confirm`` is what the session says (``stepping_up``); without one the policy of the house alone does.
    """
    with raw_cursor() as cursor:
        cursor.execute(_RIGHTS_OF_USER, [user.pk, user.pk])
        return _principal(user, cursor.fetchall(), actor, must_confirm)


def get_principals(users: Collection[User]) -> list[Principal]:
    """As :func:`get_principal` for many, in their order: one statement for any number."""
    rows: dict[int, list[tuple[str, int | None]]] = {user.pk: [] for user in users}
    with raw_cursor() as cursor:
        cursor.execute(_RIGHTS_OF_USERS, [list(rows)])
        for user_id, codename, object_id in cursor.fetchall():
            rows[user_id].append((codename, object_id))
    return [_principal(user, rows[user.pk], None) for user in users]


def _principal(
    user: User, rows: Iterable[tuple[str, int | None]], actor: str | None, must_confirm: bool | None = None
) -> Principal:
    """Rights are the rows without an object, grants those with one."""
    rights: set[str] = set()
    grants: dict[str, set[int]] = {}
    for codename, object_id in rows:
        if object_id is None:
            rights.add(codename)
        else:
            grants.setdefault(codename, set()).add(object_id)
    return Principal(
        user_id=user.pk,
        username=user.username,
        actor=actor or user.actor,
        persona=user.persona,
        is_service=user.kind == User.Kind.SERVICE,
        may_send=user.may_send,
        desk_id=user.desk_id,
        responsible_id=user.responsible_id,
        rights=frozenset(rights),
        grants={codename: frozenset(ids) for codename, ids in grants.items()},
        must_confirm=settings.STEP_UP == ALWAYS if must_confirm is None else must_confirm,
    )


def token_digest(token: str) -> str:
    """What is kept of a bearer token: hex SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_api_key(token: str, *, at: datetime) -> ApiKey | None:
    """The live key of a bearer token whose user is active, or None. Only digests are compared.

    One statement: the key comes with its ``user`` and, in ``principal``, that user's rights and grants of now.
    """
    return _caller(_CALLER, [token_digest(token), at])


def find_signing_key(key_id: UUID) -> ApiKey | None:
    """A signed key by its id, live or not, in one statement as :func:`find_api_key`; see :func:`is_live`."""
    return _caller(_SIGNER, [key_id])


def is_live(key: ApiKey, *, at: datetime) -> bool:
    """Whether the key of a request may be used: not revoked, not over, and of an active user."""
    return key.revoked_at is None and key.user.is_active and (key.expires_at is None or key.expires_at > at)


def _caller(statement: str, parameters: list[Any]) -> ApiKey | None:
    with raw_cursor() as cursor:
        cursor.execute(statement, parameters)
        row: Any = cursor.fetchone()
    if row is None:
        return None
    split = len(_KEY_FIELDS)
    key = ApiKey.from_db("default", _KEY_FIELDS, row[:split])
    key.user = User.from_db("default", _USER_FIELDS, row[split:-2])
    key.principal = _principal(key.user, zip(row[-2] or (), row[-1] or (), strict=True), f"key:{key.pk}")
    return key


def list_visible_desks(actor: Principal) -> QuerySet[Desk]:
    """Desks the actor may see, by code."""
    return Desk.objects.filter(pk__in=visible_desks(actor)).order_by("code", "id")


def list_role_groups() -> QuerySet[Group]:
    """All role groups, by name."""
    return Group.objects.order_by("name", "id")


def rights_of_roles(role_ids: Collection[int]) -> frozenset[str]:
    """Codenames of every right that at least one of the roles has."""
    return frozenset(Permission.objects.filter(group__in=role_ids).values_list("codename", flat=True))


def rights_beside_role(role_id: int) -> dict[str, set[str]]:
    """For each member of the role, by user name, the rights of the member's other roles."""
    beside: dict[str, set[str]] = {}
    members = User.objects.filter(pk__in=User.objects.filter(groups=role_id).values("pk"))
    for username, group_id, codename in members.values_list("username", "groups__id", "groups__permissions__codename"):
        others = beside.setdefault(username, set())
        if codename is not None and group_id != role_id:
            others.add(codename)
    return beside


def count_holders(right: str) -> int:
    """How many active people hold a role right: services and the disabled decide nothing."""
    held = Q(groups__permissions__codename=right)
    people = User.objects.filter(held, is_active=True, kind=User.Kind.PERSON)
    return people.values("pk").distinct().count()


def holders_by_right() -> dict[str, int]:
    """How many active people, never services, hold each right."""
    rows = (
        Permission.objects.filter(group__user__is_active=True, group__user__kind=User.Kind.PERSON)
        .values_list("codename")
        .annotate(holders=Count("group__user", distinct=True))
    )
    return dict(rows)
