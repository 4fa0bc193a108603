"""The answer once given under a key."""

from __future__ import annotations

import json

from journal.bulk import raw_cursor
from journal.domain.records import StoredAnswer


def find_answer(*, principal: str, route: str, key: str) -> StoredAnswer | None:
    """The stored answer of (principal, route, key), or None when the key is unused or its transaction still runs."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT payload_hash, status, answer::text FROM journal_idempotencykey "
            "WHERE principal = %s AND route = %s AND key = %s",
            [principal, route, key],
        )
        row = cursor.fetchone()
    return StoredAnswer(row[0], row[1], json.loads(row[2])) if row else None
