"""The inbox consumer: stored messages become facts of orders, in slices, exactly once in effect.

Reading, folding and the cursors are one transaction, so a kill at any moment repeats the slice or does not. Within a
session ids commit in order (see :class:`venues.models.WireMessage`), so no message can appear behind a cursor. A
transport duplicate (same session, epoch and MsgSeqNum) is stepped over; the application identity is the core's matter.
A message that cannot be worked is found by halving, set aside, and the stream goes on.

Any number of consumers share the shards: each takes its own first and, when these are quiet, whatever no other works on
just now. So each order has one worker at a time, several run side by side, and one that is gone holds up nobody.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Sequence

from django.db import InterfaceError, OperationalError, connection

from journal.notify import wait_for
from kernel.clock import utc_now
from kernel.errors import Unavailable
from venues.domain.channels import INBOX_CHANNEL
from venues.domain.inbox import ALL_SHARDS
from venues.selectors.inbox import list_inbox_sessions
from venues.selectors.post_trade import list_post_trade_sources
from venues.services.consume_inbox import consume_inbox
from venues.services.consume_post_trade import consume_post_trade

log = logging.getLogger("venues.inbox")

SLICE = 500
POLL_S = 0.25
SESSIONS_EVERY = 20
POST_TRADE_EVERY = 20  # rounds of a busy inbox; an idle one looks every time
POST_TRADE_SLICE = 200


def shards_of(number: int, count: int) -> tuple[int, ...]:
    """The shards that consumer ``number`` (from 1) of ``count`` takes first."""
    return tuple(shard for shard in ALL_SHARDS if shard % count == number - 1)


def run(stop: threading.Event, *, number: int = 1, count: int = 1) -> None:
    """Consume until ``stop`` is set, as consumer ``number`` of ``count``."""
    own = shards_of(number, count)
    _keep_the_collector_out()
    rounds = 0
    sessions: list[tuple[str, str]] = []
    while not stop.is_set():
        try:
            if rounds % SESSIONS_EVERY == 0:
                sessions = list_inbox_sessions()
            rounds += 1
            busy = consume_all(sessions, first=own)
            if not busy or rounds % POST_TRADE_EVERY == 0:
                consume_post_trade_all()
            if not busy:
                wait_for([INBOX_CHANNEL], POLL_S, stop)
        except (OperationalError, InterfaceError, Unavailable):
            log.warning("the inbox waits for the database", exc_info=True)
            connection.close()
            rounds = 0
            stop.wait(0.3)
    connection.close()


def consume_all(sessions: Sequence[tuple[str, str]], *, first: Sequence[int] = ALL_SHARDS) -> int:
    """One slice of each session, of the other shards only where the own are quiet; how many messages were worked."""
    others = tuple(shard for shard in ALL_SHARDS if shard not in first)
    return sum(_slice_of(*session, first) or (_slice_of(*session, others) if others else 0) for session in sessions)


def consume_post_trade_all() -> int:
    """One slice of the post-trade messages of each session; how many were worked. Orders come first (see ``run``)."""
    return sum(
        consume_post_trade(session=session, group=group, adapter_name=adapter, limit=POST_TRADE_SLICE, at=utc_now())
        for session, group, adapter in list_post_trade_sources()
    )


def _slice_of(session: str, adapter_name: str, shards: Sequence[int]) -> int:
    return consume_inbox(session=session, adapter_name=adapter_name, shards=shards, limit=SLICE, at=utc_now()).handled


def _keep_the_collector_out() -> None:
    """What is loaded by now stays: it need not be searched for garbage with every slice. Rows hold no circles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
