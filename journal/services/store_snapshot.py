"""Keep the state of a projection, so that the next start reads it and the events after it instead of the whole journal."""

from __future__ import annotations

import hashlib
from datetime import datetime

import orjson

from journal.bulk import insert_rows, one_transaction, raw_cursor
from journal.domain.projecting import Projection
from journal.locks import require_fence
from journal.models import Snapshot

KEPT = 3
_FIELDS = ("projection", "version", "position", "taken_at", "body", "sha256")


def store_snapshot(
    *, projection: Projection, position: int, at: datetime, singleton: tuple[str, int] | None = None
) -> int:
    """Write the state as of ``position``; of this version the latest ``KEPT`` stay. Returns its size in bytes.

    ``singleton`` is the name and fence of a writer there may be only one of: raises Unavailable SINGLETON_LOST when
    another has taken over; then nothing is kept.
    """
    body = orjson.dumps(projection.body())
    with one_transaction():
        if singleton is not None:
            require_fence(*singleton)
        row = (projection.name, projection.version, position, at, body, hashlib.sha256(body).digest())
        insert_rows(Snapshot, [row], fields=_FIELDS)
        with raw_cursor() as cursor:
            cursor.execute(
                "DELETE FROM journal_snapshot WHERE projection = %s AND version = %s AND id NOT IN (SELECT id "
                "FROM journal_snapshot WHERE projection = %s AND version = %s ORDER BY position DESC, id DESC LIMIT %s)",
                [projection.name, projection.version, projection.name, projection.version, KEPT],
            )
    return len(body)
