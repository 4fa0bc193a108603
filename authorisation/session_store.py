"""Sessions in our own table: Django's engine of them, which keeps no cookie and knows of idle and absolute time-outs.

Django asks for a class of this name in the module that ``SESSION_ENGINE`` names. Everything the row says stands in the
session's data too, so that a change of cookie (``cycle_key``) carries it over: a fresh cookie never makes a session
younger. A session that is over does not load, whoever asks: pages, the stream, a second tab.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string

from authorisation.domain.sessions import USE_NOTED_EVERY, ends_at
from authorisation.models import Session
from kernel.clock import utc_now
from kernel.ids import new_id

ABOUT = "oms"  # what is known of the browser, as a mapping inside the session's data


def digest_of(session_key: str) -> str:
    """What is kept of a cookie."""
    return hashlib.sha256(session_key.encode()).hexdigest()


class SessionStore(SessionBase):
    """One session; ``row`` is what was loaded."""

    row: Session | None = None

    def load(self) -> dict[str, Any]:
        """Its data; empty, and without a key, when there is none any more."""
        if self.session_key is None:  # what the browser sent is too short to be one
            return {}
        self.row = Session.objects.filter(digest=digest_of(self.session_key), expires_at__gt=utc_now()).first()
        if self.row is None:
            self._session_key = None
            return {}
        return self.decode(self.row.data)

    def exists(self, session_key: str | None) -> bool:
        return Session.objects.filter(digest=digest_of(session_key or "")).exists()

    def create(self) -> None:
        """A new empty session under a new key."""
        while True:
            self._session_key = get_random_string(32)
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:
        """Write it; being written counts as used. Raises UpdateError when it was ended meanwhile."""
        if self.session_key is None:
            return self.create()
        # a session to be made has nothing to be loaded from
        data = vars(self).setdefault("_session_cache", {}) if must_create else dict(self.items())
        values = self._columns(data, utc_now())
        digest = digest_of(self.session_key)
        if not must_create:
            if not Session.objects.filter(digest=digest).update(**values):
                raise UpdateError
            return None
        try:
            with transaction.atomic():
                Session.objects.create(digest=digest, **values)
        except IntegrityError as taken:
            raise CreateError from taken
        return None

    def _columns(self, data: dict[str, Any], at: datetime) -> dict[str, Any]:
        about = data.get(ABOUT, {})
        started_at = datetime.fromisoformat(about["started_at"]) if "started_at" in about else at
        signed_in = SESSION_KEY in data
        return {
            "id": UUID(about["id"]) if "id" in about else new_id(),
            "user_id": int(data[SESSION_KEY]) if signed_in else None,
            "data": self.encode(data),
            "source": about.get("source", ""),
            "device": about.get("device", ""),
            "started_at": started_at,
            "last_used_at": at,
            "expires_at": ends_at(settings.SESSION_TIMES, started_at=started_at, last_used_at=at, signed_in=signed_in),
        }

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(digest=digest_of(key)).delete()

    def note_use(self, at: datetime) -> None:
        """The person did something: the idle time starts anew. Written once a minute at most."""
        row = self.row
        if row is None or row.user_id is None or at - row.last_used_at < USE_NOTED_EVERY:
            return
        until = ends_at(settings.SESSION_TIMES, started_at=row.started_at, last_used_at=at, signed_in=True)
        Session.objects.filter(digest=row.digest, last_used_at__lt=at).update(last_used_at=at, expires_at=until)

    @classmethod
    def clear_expired(cls) -> None:
        """Nothing: a sweeper ends them, with an event each."""
