"""People who make requests and people who decide about them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.contrib.auth.hashers import get_hasher, make_password
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from guardian.shortcuts import assign_perm

from authorisation.domain.principal import Principal
from authorisation.models import Desk, User
from authorisation.selectors import get_principal

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PASSWORD = "correct horse battery"


@cache
def _hashed_password(algorithm: str) -> str:
    """Hashing is slow on purpose: once is enough for each way of it that a test chooses."""
    return make_password(PASSWORD)


def desk(code: str = "D1") -> Desk:
    """A desk, made once."""
    return Desk.objects.get_or_create(code=code, defaults={"name": f"Desk {code}"})[0]


def right(codename: str) -> Permission:
    """A role right by codename."""
    found = Permission.objects.filter(codename=codename).first()
    if found is not None:
        return found
    kind = ContentType.objects.get_for_model(User)
    return Permission.objects.create(codename=codename, name=codename, content_type=kind)


def person(username: str, *, rights: tuple[str, ...] = (), desks: tuple[str, ...] = ("D1",), **values: Any) -> User:
    """A user in a role group of its own with the rights, seeing and trading the desks."""
    user = User.objects.create(username=username, password=_hashed_password(get_hasher().algorithm), **values)
    group = Group.objects.create(name=f"role of {username}")
    group.permissions.set([right(codename) for codename in rights])
    user.groups.add(group)
    for code in desks:
        assign_perm("view_desk", group, desk(code))
        assign_perm("trade_desk", group, desk(code))
    return user


def principal(username: str, **values: Any) -> Principal:
    """As :func:`person`, loaded as a door would load them."""
    return get_principal(person(username, **values))
