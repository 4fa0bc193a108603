"""At most one process of a kind: a PostgreSQL advisory lock, and a fence that grows with each holder.

The lock lives and dies with a connection of its own: a lost connection is a lost singleton. The fence is for what
the lock cannot see: a holder that was asleep passes its number to ``journal.locks.require_fence`` in the transaction
that matters, and is refused there.
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


class Singleton:
    """``take()`` it, ask ``held()`` each time round the loop, ``release()`` it."""

    def __init__(self, name: str) -> None:
        self.name = name
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
            opened.close()
            return False
        row = opened.execute(
            "INSERT INTO journal_lease (name, holder, fence, expires_at) VALUES (%s, %s, 1, '9999-12-31 00:00:00+00') "
            "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = journal_lease.fence + 1, "
            "expires_at = excluded.expires_at RETURNING fence",
            [self.name, f"{socket.gethostname()}:{os.getpid()}"],
        ).fetchone()
        self.fence = int(row[0]) if row else 0
        self._connection = opened
        return True

    def held(self) -> bool:
        """Whether the lock is still ours; asks the server, because only it knows."""
        if self._connection is None:
            return False
        try:
            self._connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            logger.warning("singleton %s is lost: %s", self.name, error)
            self.release()
            return False
        return True

    def release(self) -> None:
        """Let the next one in. Harmless when nothing is held."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
