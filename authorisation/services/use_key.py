"""Note that a signed key comes with a nonce, and count it against the key's rate: one statement, its own commit.

Invariants: of one nonce of a key exactly one use passes, however many come at once and whatever becomes of the request;
what is refused leaves neither a nonce nor a count, so a flood cannot fill the table faster than the rate allows.

Its commit does not wait for the disk, alone among the house's: a database that dies forgets at most the last 0.6 s of nonces.
What could then be sent once more within five minutes reads, or does what its signed Idempotency-Key lets be done once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from authorisation.domain.api_keys import micros, room_us, step_us, wait_s
from authorisation.models import ApiKey
from journal.bulk import raw_cursor
from kernel.errors import InvariantBroken, TooMany, Unauthenticated

_USE = """
WITH quick AS MATERIALIZED (
    SELECT CASE WHEN %(alone)s THEN set_config('synchronous_commit', 'off', true) END
), seen AS (
    SELECT 1 FROM authorisation_keynonce WHERE key_id = %(key)s AND nonce = %(nonce)s
), used AS (
    INSERT INTO authorisation_keyuse AS u (key_id, full_at_us, last_used_at, last_source)
    SELECT %(key)s, %(now)s + %(step)s, %(at)s, %(source)s WHERE NOT EXISTS (SELECT FROM seen)
    ON CONFLICT (key_id) DO UPDATE
       SET full_at_us = GREATEST(u.full_at_us, %(now)s) + %(step)s, last_used_at = %(at)s, last_source = %(source)s
     WHERE GREATEST(u.full_at_us, %(now)s) + %(step)s <= %(now)s + %(room)s
    RETURNING 1
), noted AS (
    INSERT INTO authorisation_keynonce (key_id, nonce, seen_at) SELECT %(key)s, %(nonce)s, %(at)s FROM used
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT EXISTS (SELECT FROM seen), EXISTS (SELECT FROM used), EXISTS (SELECT FROM noted),
       (SELECT full_at_us FROM authorisation_keyuse WHERE key_id = %(key)s), (SELECT count(*) FROM quick)
"""


def use_key(*, key: ApiKey, nonce: str, at: datetime, source: str, removes_risk: bool) -> None:
    """Raises Unauthenticated NONCE_USED when the nonce came before, TooMany KEY_RATE when the rate is used up."""
    if key.rate is None or key.burst is None:
        raise InvariantBroken("KEY_WITHOUT_RATE", "A signed key has no rate.")
    now, room = micros(at), room_us(key.rate, key.burst, removes_risk=removes_risk)
    with raw_cursor() as cursor:
        cursor.execute(
            _USE,
            {
                "key": key.pk,
                "nonce": nonce,
                "now": now,
                "at": at,
                "step": step_us(key.rate),
                "room": room,
                "source": source,
                "alone": not connection.in_atomic_block,
            },
        )
        row: Any = cursor.fetchone()
    seen, used, noted, full_at_us, _ = row
    if seen or (used and not noted):
        raise Unauthenticated("NONCE_USED", "This request came before: sign every request with a nonce of its own.")
    if not used:
        seconds = wait_s(full_at_us or now, now_us=now, rate=key.rate, room=room)
        sentence = f"This key may send {key.rate} requests a second; wait {seconds} s."
        raise TooMany("KEY_RATE", sentence, {"retry_after_s": seconds, "rate": key.rate, "burst": key.burst})
