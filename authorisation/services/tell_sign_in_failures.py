"""Say in a person's events that wrong passwords or codes were tried, and forget series that are over.

By a sweeper and not at the door: there the clock would tell which names exist, and whoever tries would write evidence
without end. So a person gets one event a round at most, however many tries there were, and names nobody has get none.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.lock_out import FORGOTTEN_AFTER
from authorisation.domain.principal import process_principal
from authorisation.services._events import record
from journal.bulk import raw_cursor

_NEWS = """
UPDATE authorisation_signinfailures f SET told = f.failures
  FROM (SELECT u.id, k.what, encode(sha256(convert_to(k.key, 'UTF8')), 'hex') AS digest
          FROM authorisation_user u, LATERAL (VALUES
               ('password', lower(u.username)), ('second_factor', 'second factor' || chr(1) || u.id)) AS k(what, key)
         WHERE u.kind = 'person') AS n
 WHERE f.name_digest = n.digest AND f.failures <> f.told
RETURNING n.id, n.what, f.failures, f.last_failed_at
"""


def tell_sign_in_failures(*, at: datetime) -> int:
    """Append SignInRefused for every person who was tried since the last round. Returns how many events."""
    with transaction.atomic():
        with raw_cursor() as cursor:
            cursor.execute(_NEWS)
            news = cursor.fetchall()
            cursor.execute(
                "DELETE FROM authorisation_signinfailures WHERE last_failed_at < %s AND coalesce(locked_until, %s) <= %s",
                [at - FORGOTTEN_AFTER, at, at],
            )
        for user_id, what, failures, last_failed_at in sorted(news):
            record(
                stream=f"user:{user_id}",
                kind="SignInRefused",
                actor=process_principal("relay"),
                at=at,
                payload={"factor": what, "failures": failures, "last_failed_at": last_failed_at.isoformat()},
            )
    return len(news)
