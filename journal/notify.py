"""Wake-ups between processes: NOTIFY once a transaction, LISTEN on a connection of its own.

A wake-up carries no fact. Losing one costs the time until the next poll and nothing else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import Any

import psycopg
from django.db import connection, connections

from journal.bulk import raw_cursor

logger = logging.getLogger(__name__)

EVENTS_CHANNEL = "oms_events"
SLICE_S = 0.25


class _Notified:
    """Marks in Django's list of commit hooks that this transaction has notified; rolled back with its savepoint."""

    def __init__(self, channel: str) -> None:
        self.channel = channel

    def __call__(self) -> None:
        """Nothing is left to do after commit: PostgreSQL delivers."""


def notify(channel: str = EVENTS_CHANNEL) -> None:
    """Wake those who listen on ``channel`` when this transaction commits; a second call in it costs nothing."""
    if connection.in_atomic_block:
        hooks = connection.run_on_commit
        if any(isinstance(hook[1], _Notified) and hook[1].channel == channel for hook in hooks):
            return
        connection.on_commit(_Notified(channel))
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [channel])


def dedicated_connection(name: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of the default database outside of Django's care, in autocommit, named for ``pg_stat_activity``."""
    wrapper = connections["default"]
    given = wrapper.get_connection_params()
    wanted = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "service")
    params = {key: given[key] for key in wanted if given.get(key)}
    return psycopg.connect(**params, autocommit=True, application_name=f"oms {name}"[:63], connect_timeout=5)


class Ear:
    """Listens on channels, connects again when the connection is lost. Use it from one thread."""

    def __init__(self, channels: Iterable[str]) -> None:
        self.channels = tuple(sorted(set(channels)))
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def wait(self, timeout: float, stop: threading.Event) -> bool:
        """True once something was heard, or may have been missed (first call, reconnect); false after ``timeout`` s.

        Returns within a quarter of a second when ``stop`` is set.
        """
        deadline = time.monotonic() + timeout
        try:
            if self._connection is None:
                self._connection = self._open()
                return True
            while not stop.is_set():
                left = deadline - time.monotonic()
                for _ in self._connection.notifies(timeout=max(min(left, SLICE_S), 0.0), stop_after=1):
                    return True
                if left <= 0:
                    return False
        except psycopg.OperationalError as error:
            logger.warning("wake-up connection lost, polling instead: %s", error)
            self.close()
            stop.wait(min(timeout, 0.5))
            return True
        return False

    def _open(self) -> psycopg.Connection[tuple[Any, ...]]:
        opened = dedicated_connection("ear")
        for channel in self.channels:
            opened.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
        return opened

    def close(self) -> None:
        """Give the connection back; the next wait opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


_ears = threading.local()


def wait_for(channels: Iterable[str], timeout: float, stop: threading.Event) -> bool:
    """Wait with this thread's own :class:`Ear` for the channels: the one line a process loop needs."""
    wanted = tuple(sorted(set(channels)))
    ear: Ear | None = getattr(_ears, "ear", None)
    if ear is None or ear.channels != wanted:
        if ear is not None:
            ear.close()
        ear = _ears.ear = Ear(wanted)
    return ear.wait(timeout, stop)
