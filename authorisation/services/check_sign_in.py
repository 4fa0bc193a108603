"""Name and password against lock-out. Every failure looks the same, whether the name exists or not."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest

from authorisation.domain.lock_out import failures_after, locked_until
from authorisation.locks import lock_failures
from authorisation.models import SignInFailures, User
from journal.bulk import insert_rows, update_rows

_FIELDS = ("name_digest", "failures", "last_failed_at", "locked_until")


def check_sign_in(*, request: HttpRequest, username: str, password: str, at: datetime) -> User | None:
    """The active person of that name and password, or None: wrong, locked, disabled or a service, never said which.

    After five wrong passwords in a row a name waits, 30 s doubling to 15 minutes; meanwhile no password is tried.
    """
    digest = hashlib.sha256(username.strip().lower().encode()).hexdigest()
    known = SignInFailures.objects.filter(pk=digest).first()
    if known and known.locked_until and known.locked_until > at:
        make_password(password)  # as much work as a real try, so that the clock tells nothing
        return None
    user = authenticate(request, username=username, password=password)
    if isinstance(user, User) and user.kind == User.Kind.PERSON:
        SignInFailures.objects.filter(pk=digest).delete()
        return user
    _count(digest, at)
    return None


def _count(digest: str, at: datetime) -> None:
    """One more failure of the name. Two first ones at the same moment count as one."""
    with transaction.atomic():
        row = lock_failures(digest)
        before, last_failed_at = (row.failures, row.last_failed_at) if row else (0, None)
        failures = failures_after(before, last_failed_at=last_failed_at, at=at)
        until = locked_until(failures, at=at)
        if row is None:
            insert_rows(SignInFailures, [(digest, failures, at, until)], fields=_FIELDS, on_conflict="DO NOTHING")
        else:
            update_rows(SignInFailures, [(digest, failures, at, until)], key=_FIELDS[:1], fields=_FIELDS[1:])
