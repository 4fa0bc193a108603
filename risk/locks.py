"""Blocks under lock: after accounts, before orders. One advisory lock a (scope, source) also guards the row not yet there.

The wire is one more advisory lock. A gateway holds it shared while it checks, hands over and sends a batch of what adds
risk; who presses a stop takes it alone until commit. So a batch either leaves before the stop is committed, or sees it.
Usage comes last of all locks, by ascending key. The row of a scope is its lock: whoever changes what the scope traded on a
day locks the row first, so what is read after it is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from django.db import InterfaceError, OperationalError, connection, transaction

from journal.bulk import raw_cursor
from journal.domain.idempotency import lock_number
from risk.models import Block

_WIRE = lock_number("risk-wire")


def lock_blocks(*, scope: str, scope_id: str, source: str) -> Block | None:
    """The standing block of this scope and source, or None; nobody else changes it until commit."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number("risk-block", scope, scope_id, source)])
    return (
        Block.objects.select_for_update()
        .filter(scope=scope, scope_id=scope_id, source=source, lifted_at__isnull=True)
        .first()
    )


def close_wire(*, wait_ms: int) -> bool:
    """Until commit no batch of what adds risk begins. True once none is under way; False when one was for ``wait_ms``.

    To be called first in the transaction. While it waits, gateways begin none either.
    """
    with raw_cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        row = cursor.fetchone()
        try:
            with transaction.atomic():
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{wait_ms}ms"])
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WIRE])
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [row[0] if row else "0"])
        except psycopg.errors.LockNotAvailable:
            return False
    return True


@contextmanager
def open_wire() -> Iterator[bool]:
    """For a gateway, around the check, the hand-over and the sending of one batch: whether what adds risk may leave.

    False while a stop is being pressed; never waits. Held by the session, over the commit of the hand-over.
    """
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock_shared(%s)", [_WIRE])
        row = cursor.fetchone()
    held = bool(row and row[0])
    try:
        yield held
    finally:
        if held:
            try:
                with raw_cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock_shared(%s)", [_WIRE])
            except (OperationalError, InterfaceError):
                connection.close()  # the session that held it ends, and the lock with it


_LOCK_USAGE = "SELECT key FROM risk_limitusage WHERE key = ANY(%s::text[]) ORDER BY key FOR NO KEY UPDATE"


def lock_usage(keys: Sequence[str]) -> None:
    """The counted ones of these scopes stay as they are until commit; read them afterwards."""
    with raw_cursor() as cursor:
        cursor.execute(_LOCK_USAGE, [sorted(keys)])


def lock_counting() -> None:
    """Nobody counts an order until commit: a scope that is not counted yet can be summed up, and misses none."""
    with raw_cursor() as cursor:
        cursor.execute("LOCK TABLE risk_orderusage IN SHARE ROW EXCLUSIVE MODE")
