"""Reads about people and keys."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Q

from authorisation.domain.principal import Principal
from authorisation.models import ApiKey, User

_GRANTS = """
SELECT p.codename, array_agg(DISTINCT g.object_pk::bigint)
  FROM guardian_groupobjectpermission g
  JOIN auth_permission p ON p.id = g.permission_id
  JOIN authorisation_user_groups ug ON ug.group_id = g.group_id
 WHERE ug.user_id = %s
 GROUP BY p.codename
"""


def get_principal(user: User, *, actor: str | None = None) -> Principal:
    """The user with role rights and object grants of now: two statements."""
    rights = frozenset(
        Permission.objects.filter(Q(group__user=user) | Q(user=user)).values_list("codename", flat=True).distinct()
    )
    with connection.cursor() as cursor:
        cursor.execute(_GRANTS, [user.pk])
        grants = {codename: frozenset(ids) for codename, ids in cursor.fetchall()}
    return Principal(
        user_id=user.pk,
        username=user.username,
        actor=actor or user.actor,
        persona=user.persona,
        is_service=user.kind == User.Kind.SERVICE,
        may_send=user.may_send,
        desk_id=user.desk_id,
        rights=rights,
        grants=grants,
    )


def find_api_key(token: str, *, at: datetime) -> ApiKey | None:
    """The live key of a bearer token whose user is active, or None. Only digests are compared."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    return (
        ApiKey.objects.select_related("user")
        .filter(digest=digest, revoked_at__isnull=True, user__is_active=True)
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at))
        .first()
    )
