"""At most one process of a kind: a PostgreSQL advisory lock, and a fence that grows with each holder.

The lock lives and dies with a connection of its own: a lost connection is a lost singleton. The fence is for what
the lock cannot see: a holder that was asleep passes its number to ``journal.locks.require_fence`` in the transaction
that matters, and is refused there.

A process that is frozen, not dead, keeps its connection and with it the lock. Where others must not wait for it, the
holder says by ``lease_s`` how long it may be silent: ``held()`` renews the lease, and who finds it run out ends the
holder's connection and takes its place.
"""

from __future__ import annotations

import logging
import os
import socket
from typing import Any

import psycopg

from journal.domain.idempotency import lock_number
from journal.notify import dedicated_connection

logger = logging.getLogger(__name__)

_TAKE = """
INSERT INTO journal_lease (name, holder, fence, expires_at)
VALUES (%s, %s, 1, coalesce(now() + make_interval(secs => %s::float8), '9999-12-31 00:00:00+00'))
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = journal_lease.fence + 1,
  expires_at = excluded.expires_at RETURNING fence
"""
_RENEW = """
UPDATE journal_lease SET expires_at = now() + make_interval(secs => %s::float8) WHERE name = %s AND fence = %s RETURNING 1
"""
_CUT_OFF = """
SELECT l.pid, pg_terminate_backend(l.pid) FROM pg_locks l JOIN journal_lease e ON e.name = %s
 WHERE e.expires_at < now() AND l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
   AND l.classid = %s::bigint::oid AND l.objid = %s::bigint::oid
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Singleton:
    """``take()`` it, ask ``held()`` each time round the loop (well within ``lease_s``, if given), ``release()`` it."""

    def __init__(self, name: str, *, lease_s: float | None = None) -> None:
        self.name = name
        self._lease_s = lease_s
        self.fence = 0
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def take(self) -> bool:
        """Try once. True when this process is now the only holder; its ``fence`` is then greater than any before."""
        if self._connection is not None:
            return self.held()
        try:
            opened = dedicated_connection(f"singleton {self.name}")
        except psycopg.OperationalError as error:
            logger.warning("cannot ask for singleton %s: %s", self.name, error)
            return False
        locked = opened.execute("SELECT pg_try_advisory_lock(%s)", [lock_number("singleton", self.name)]).fetchone()
        if not locked or not locked[0]:
            self._end_frozen_holder(opened)
            opened.close()
            return False
        row = opened.execute(
            _TAKE,
            [self.name, f"{socket.gethostname()}:{os.getpid()}", self._lease_s],
        ).fetchone()
        self.fence = int(row[0]) if row else 0
        self._connection = opened
        return True

    def held(self) -> bool:
        """Whether the lock is still ours; asks the server, because only it knows."""
        if self._connection is None:
            return False
        try:
            if self._lease_s is None:
                renewed = self._connection.execute("SELECT 1").fetchone()
            else:
                renewed = self._connection.execute(
                    _RENEW,
                    [self._lease_s, self.name, self.fence],
                ).fetchone()
        except psycopg.OperationalError as error:
            logger.warning("singleton %s is lost: %s", self.name, error)
            self.release()
            return False
        if renewed is None:
            logger.warning("singleton %s was taken over", self.name)
            self.release()
        return renewed is not None

    def _end_frozen_holder(self, opened: psycopg.Connection[tuple[Any, ...]]) -> None:
        """End the connection of a holder whose lease has run out; the next ``take`` finds the lock free."""
        if self._lease_s is None:
            return
        number = lock_number("singleton", self.name) % 2**64
        ended = opened.execute(
            _CUT_OFF,
            [self.name, number >> 32, number & 0xFFFFFFFF],
        ).fetchall()
        for pid, _ in ended:
            logger.warning("singleton %s: its holder (backend %s) is frozen and was cut off", self.name, pid)

    def release(self) -> None:
        """Let the next one in. Harmless when nothing is held."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
