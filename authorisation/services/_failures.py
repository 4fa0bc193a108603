"""Failures at the door, counted by what was tried: a name, a person's second factor, a network address. See lock_out.

Keys are digests, so that the table tells neither who has an account nor who tries. Whatever is counted here is forgotten
by a sweeper half an hour after the last failure.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import transaction

from authorisation.domain.lock_out import FREE_TRIES, failures_after, locked_until
from authorisation.locks import lock_failures
from authorisation.models import SignInFailures
from journal.bulk import insert_rows, update_rows

_FIELDS = ("name_digest", "failures", "last_failed_at", "locked_until")


def of_name(username: str) -> str:
    """The key of passwords tried for a name, known or not."""
    return hashlib.sha256(username.strip().lower().encode()).hexdigest()


def of_second_factor(user_id: int) -> str:
    """The key of codes tried for a person whose password was right."""
    return hashlib.sha256(f"second factor\x01{user_id}".encode()).hexdigest()


def of_source(source: str) -> str:
    """The key of whatever comes from one address."""
    return hashlib.sha256(f"source\x01{source}".encode()).hexdigest()


def is_locked(*keys: str, at: datetime) -> bool:
    """Whether one of the keys must wait."""
    return SignInFailures.objects.filter(pk__in=keys, locked_until__gt=at).exists()


def count(key: str, at: datetime, *, free_tries: int = FREE_TRIES) -> None:
    """One more failure of the key. Two first ones at the same moment count as one."""
    with transaction.atomic():
        row = lock_failures(key)
        before, last_failed_at = (row.failures, row.last_failed_at) if row else (0, None)
        failures = failures_after(before, last_failed_at=last_failed_at, at=at)
        until = locked_until(failures, at=at, free_tries=free_tries)
        if row is None:
            insert_rows(SignInFailures, [(key, failures, at, until)], fields=_FIELDS, on_conflict="DO NOTHING")
        else:
            update_rows(SignInFailures, [(key, failures, at, until)], key=_FIELDS[:1], fields=_FIELDS[1:])


def forget(key: str) -> None:
    """A right answer ends the series."""
    SignInFailures.objects.filter(pk=key).delete()
