"""The picture: open orders as they are, kept current from the journal, proven against the tables, sent to the screens.

One process at a time (advisory lock). It tails the journal behind the settled horizon, reads the changed orders in
one statement a batch, and publishes their rows to Redis. With Redis dead it goes on and screens say stale. Once a
minute its open orders are compared with the tables by number and digest; a difference rebuilds it and is logged.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import orjson
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from redis.exceptions import RedisError

from journal.domain.records import EventRecord
from journal.notify import EVENTS_CHANNEL, wait_for
from journal.selectors import Horizon, list_events_after
from journal.singleton import Singleton
from operations.domain.rows import COLUMNS
from operations.selectors.desk import list_rows_of, open_order_versions

logger = logging.getLogger(__name__)

BATCH = 2000
ROWS_A_MESSAGE = 500
BEAT_S = 1.0
COMPARE_S = 60.0
_OPEN, _SEQ = COLUMNS.index("open"), COLUMNS.index("seq")

# Which pages' fragments have something new when an event of a kind is committed.
TOPICS: dict[str, str] = {
    "OrderHeld": "approvals",
    "ReplaceHeld": "approvals",
    "OrderReleased": "approvals",
    "ReplaceReleased": "approvals",
    "RequestDeclined": "approvals",
    "RequestLapsed": "approvals",
    "RequestWithdrawn": "approvals",
    "AnomalyRaised": "exceptions",
    "AnomalyCleared": "exceptions",
    "BlockImposed": "blocks",
    "BlockLifted": "blocks",
}


def channel() -> str:
    """Where rows are published: one channel a database, so that houses may share a Redis."""
    return f"oms:rows:{connection.settings_dict['NAME']}"


def digest(open_orders: Mapping[UUID, int]) -> str:
    """One text for the whole set of open orders and their versions, whatever their order."""
    total = 0
    for order_id, seq in open_orders.items():
        total ^= int.from_bytes(
            hashlib.blake2b(order_id.bytes + seq.to_bytes(4, "big"), digest_size=16).digest(), "big"
        )
    return f"{len(open_orders)}:{total:032x}"


def changed_orders(events: Iterable[EventRecord]) -> list[UUID]:
    """Ids of the orders whose stream has new events, each once."""
    return list({UUID(event.stream[6:]): None for event in events if event.stream.startswith("order:")})


def topics_of(events: Iterable[EventRecord]) -> list[str]:
    """Topics whose pages should look again."""
    return sorted({TOPICS[event.kind] for event in events if event.kind in TOPICS})


class Publisher:
    """Numbers and sends messages to the stream processes; a lost Redis costs messages, never the picture."""

    def __init__(self) -> None:
        self._redis = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=2)
        self._channel = channel()
        self._epoch = uuid4().hex[:12]
        self._number = 0

    def send(self, kind: str, position: int, **more: Any) -> bool:
        """Publish one message; False when Redis does not answer. The number is spent either way, so readers see the gap."""
        self._number += 1
        body = orjson.dumps({"k": kind, "e": self._epoch, "n": self._number, "position": position, **more})
        try:
            self._redis.publish(self._channel, body)
        except (RedisError, OSError) as error:
            logger.warning("live rows not published: %s", error)
            return False
        return True


class Picture:
    """Open orders with the number of their last event, and how far the journal was read."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self.horizon = Horizon()
        self.position = 0
        self.open_orders: dict[UUID, int] = {}

    def rebuild(self) -> None:
        """Start from the tables: position first, so that nothing after it can be missed."""
        self.position = self.horizon.position()
        self.open_orders = open_order_versions()

    def advance(self) -> int:
        """Read what was committed since, publish the changed rows; the number of events read."""
        events = list_events_after(self.position, limit=BATCH, up_to=self.horizon.position())
        if not events:
            return 0
        rows = list_rows_of(changed_orders(events))
        self.position = events[-1].position
        self.keep(rows)
        for start in range(0, len(rows), ROWS_A_MESSAGE):
            part = [{"d": desk, "g": group, "r": row} for desk, group, row in rows[start : start + ROWS_A_MESSAGE]]
            self.publisher.send("rows", self.position, rows=part)
        topics = topics_of(events)
        if topics:
            self.publisher.send("ping", self.position, topics=topics)
        return len(events)

    def keep(self, rows: Sequence[tuple[int, int, list[Any]]]) -> None:
        """Take the rows into the picture."""
        for _, _, row in rows:
            order_id = UUID(row[0])
            if row[_OPEN]:
                self.open_orders[order_id] = row[_SEQ]
            else:
                self.open_orders.pop(order_id, None)

    def equal_to_tables(self) -> bool:
        """Compare with the tables. Orders that move while we look are given the journal's chance to catch up."""
        for _ in range(5):
            if digest(self.open_orders) == digest(open_order_versions()):
                return True
            self.advance()
        return False


def run(stop: threading.Event) -> None:
    """Keep the picture until ``stop``; wait while another process keeps it."""
    singleton = Singleton("picture")
    try:
        while not stop.is_set():
            if not singleton.take():
                stop.wait(1.0)
                continue
            try:
                watch(stop, singleton)
            except DatabaseError as error:
                logger.warning("picture starts again: %s", error)
                connection.close()
                stop.wait(0.5)
    finally:
        singleton.release()
        connection.close()


def watch(stop: threading.Event, singleton: Singleton) -> None:
    """From rebuild to loss of the lock or of the database."""
    picture = Picture(Publisher())
    picture.rebuild()
    beat_at = compare_at = 0.0
    while not stop.is_set():
        read = picture.advance()
        now = time.monotonic()
        if now >= beat_at:
            if not singleton.held():
                return
            picture.publisher.send("beat", picture.position)
            beat_at = now + BEAT_S
        if now >= compare_at:
            if compare_at and not picture.equal_to_tables():
                logger.error("picture of open orders differs from the tables; built again")
                picture.rebuild()
                picture.publisher.send("ping", picture.position, topics=["desk"])
            compare_at = now + COMPARE_S
        if read < BATCH:
            wait_for([EVENTS_CHANNEL], 0.25, stop)
