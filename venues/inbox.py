"""The inbox consumer: stored messages become facts of orders, in slices, exactly once in effect.

Reading, folding and the cursor are one transaction, so a kill at any moment repeats the slice or does not. Within a
session ids commit in order (see :class:`venues.models.WireMessage`), so each session has its own cursor and no message
can appear behind it. A transport duplicate (same session, epoch and MsgSeqNum) is stepped over; the application
identity is the core's matter. A message that cannot be worked is found by halving, set aside, and the stream goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from django.db import InterfaceError, OperationalError, connection

from journal.notify import wait_for
from kernel.clock import utc_now
from kernel.errors import Unavailable
from venues.domain.channels import INBOX_CHANNEL
from venues.selectors.inbox import list_inbox_sessions
from venues.services.consume_inbox import consume_inbox

log = logging.getLogger("venues.inbox")

SLICE = 500
POLL_S = 0.25
SESSIONS_EVERY = 20


def run(stop: threading.Event, *, shards: Sequence[int] | None = None) -> None:
    """Consume until ``stop`` is set: all shards, or the given ones of 16 (their cursors are separate)."""
    rounds = 0
    sessions: list[tuple[str, str]] = []
    while not stop.is_set():
        try:
            if rounds % SESSIONS_EVERY == 0:
                sessions = list_inbox_sessions()
            rounds += 1
            if not consume_all(sessions, shards=shards):
                wait_for([INBOX_CHANNEL], POLL_S, stop)
        except (OperationalError, InterfaceError, Unavailable):
            log.warning("the inbox waits for the database", exc_info=True)
            connection.close()
            rounds = 0
            stop.wait(0.3)
    connection.close()


def consume_all(sessions: Sequence[tuple[str, str]], *, shards: Sequence[int] | None = None) -> int:
    """One slice of each session; how many messages were worked."""
    return sum(
        consume_inbox(session=name, adapter_name=adapter, shards=shards, limit=SLICE, at=utc_now()).handled
        for name, adapter in sessions
    )
