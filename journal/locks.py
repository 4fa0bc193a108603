"""Row and advisory locks of this room, always in one order: idempotency, stream heads by name, cursor."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from journal.bulk import raw_cursor
from journal.domain.chain import GENESIS, Head
from journal.domain.idempotency import lock_number
from journal.models import LegalHold
from kernel.errors import NotFound, Unavailable

KEY_WAIT_S = 5.0
KEY_LOOK_S = 0.02


def lock_heads(streams: Iterable[str]) -> dict[str, Head]:
    """Lock the heads of the streams, ascending by name, making those that are missing. Held until commit."""
    names = sorted(set(streams))
    with raw_cursor() as cursor:
        cursor.execute(
            "INSERT INTO journal_streamhead (stream, seq, hash) SELECT s, 0, %s FROM unnest(%s::text[]) AS s "
            "ON CONFLICT DO NOTHING",
            [GENESIS, names],
        )
        cursor.execute(
            "SELECT stream, seq, hash FROM journal_streamhead WHERE stream = ANY(%s::text[]) "
            "ORDER BY stream FOR NO KEY UPDATE",
            [names],
        )
        return {stream: Head(seq, bytes(digest)) for stream, seq, digest in cursor.fetchall()}


def lock_cursor(name: str) -> int | None:
    """The position of a listener's cursor, locked until commit; None while another copy holds it."""
    with raw_cursor() as cursor:
        for attempt in range(2):
            cursor.execute("SELECT position FROM journal_cursor WHERE name = %s FOR UPDATE SKIP LOCKED", [name])
            row = cursor.fetchone()
            if row is not None:
                return int(row[0])
            if attempt == 0:
                cursor.execute(
                    "INSERT INTO journal_cursor (name, position, updated_at) VALUES (%s, 0, now()) "
                    "ON CONFLICT DO NOTHING",
                    [name],
                )
                if cursor.rowcount == 0:
                    return None
    return None


def lock_key(principal: str, route: str, key: str) -> bool:
    """Wait until no other transaction works under the same idempotency key; False when that takes too long. Held until commit."""
    until = time.monotonic() + KEY_WAIT_S
    with raw_cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_number("idempotency", principal, route, key)])
            row = cursor.fetchone()
            if row and row[0]:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(KEY_LOOK_S)


def require_fence(name: str, fence: int) -> None:
    """Hold the lease row of a singleton in place until commit; raises Unavailable SINGLETON_LOST when taken over."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT fence FROM journal_lease WHERE name = %s FOR SHARE", [name])
        row = cursor.fetchone()
    if row is None or row[0] != fence:
        raise Unavailable("SINGLETON_LOST", f"Another process has taken over {name}; this one must stop.")


def lock_sealing() -> bool:
    """Be the only one that seals or anchors, until commit; False while another process does."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_number("sealing")])
        row = cursor.fetchone()
    return bool(row and row[0])


def lock_hold(hold_id: UUID) -> LegalHold:
    """The hold's row, locked until commit; raises NotFound HOLD_UNKNOWN."""
    row = LegalHold.objects.select_for_update().filter(pk=hold_id).first()
    if row is None:
        raise NotFound("HOLD_UNKNOWN", "There is no such legal hold.")
    return row


@contextmanager
def archiving() -> Iterator[bool]:
    """Whether this session alone archives until the block ends. No transaction: a long one would hold back every reader."""
    number = lock_number("archiving")
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        row = cursor.fetchone()
    mine = bool(row and row[0])
    try:
        yield mine
    finally:
        if mine:
            with raw_cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
