"""Name and password against lock-out. Every failure looks the same, whether the name exists or not."""

from __future__ import annotations

import logging
from datetime import datetime

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from authorisation import security_log
from authorisation.domain.lock_out import FREE_TRIES_OF_A_SOURCE
from authorisation.models import User
from authorisation.services import _failures
from authorisation.sources import source_of


def check_sign_in(*, request: HttpRequest, username: str, password: str, at: datetime) -> User | None:
    """The active person of that name and password, or None: wrong, locked, disabled or a service, never said which.

    After five wrong passwords in a row a name waits, 30 s doubling to 15 minutes, and so does an address after fifty;
    meanwhile no password is tried.
    """
    source = source_of(request)
    name, place = _failures.of_name(username), _failures.of_source(source)
    if _failures.is_locked(name, place, at=at):
        make_password(password)  # as much work as a real try, so that the clock tells nothing
        _tell(username, source, "LOCKED")
        return None
    user = authenticate(request, username=username, password=password)
    if isinstance(user, User) and user.kind == User.Kind.PERSON:
        _failures.forget(name)
        return user
    _failures.count(name, at)
    if source:
        _failures.count(place, at, free_tries=FREE_TRIES_OF_A_SOURCE)
    _tell(username, source, "WRONG")
    return None


def _tell(username: str, source: str, why: str) -> None:
    security_log.write("SIGN_IN_REFUSED", user=username, source=source, level=logging.WARNING, why=why)
