"""The process that listens to price feeds: one thread a feed, one transaction every two seconds each, opened again when lost.

A feed that cannot be reached is tried each second; who notices its silence is the relay's sweeper, from the table.
What could not be written because the database was away is written when it is back; beyond a bound the connection is
let go and everything is told anew.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.utils import Error

from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from journal.singleton import Singleton
from kernel.clock import utc_now
from refdata.adapters import FeedLost, FeedWords, PriceFeed, open_feed
from refdata.domain.ticks import FeedTick
from refdata.services.take_ticks import MOST_TICKS, take_ticks

log = logging.getLogger("refdata.feeds")

TAKE_EVERY_S = 2.0  # also the shortest time between two stored ticks of a listing that nobody doubts
READ_S = 0.25
AGAIN_S = 1.0
LEASE_S = 10.0
ACTOR = process_principal("prices")


@dataclass(slots=True)
class _Portion:
    """What was heard and is not written yet."""

    ticks: list[FeedTick] = field(default_factory=list)
    heard_at: datetime | None = None
    snapshot: bool = False
    unread: list[str] = field(default_factory=list)

    def add(self, words: FeedWords) -> None:
        self.ticks.extend(words.ticks)
        self.unread.extend(words.unread)
        self.heard_at = words.heard_at or self.heard_at
        self.snapshot = self.snapshot or words.snapshot


def run(stop: threading.Event, *, feeds: Mapping[str, str] | None = None) -> None:
    """Listen to ``feeds`` (source to address; those of the settings when None) until ``stop``. One process at a time."""
    wanted = settings.PRICE_FEEDS if feeds is None else feeds
    singleton = Singleton("price_feeds", lease_s=LEASE_S)
    while not stop.is_set():
        if singleton.take():
            _serve_term(stop, singleton, wanted)
        else:
            stop.wait(AGAIN_S)
    singleton.release()


def _serve_term(stop: threading.Event, singleton: Singleton, feeds: Mapping[str, str]) -> None:
    """From taking over to losing the singleton or the stop."""
    over = threading.Event()
    threads = [
        threading.Thread(target=listen, args=(over, source, address), name=f"feed-{source}", daemon=True)
        for source, address in feeds.items()
    ]
    for thread in threads:
        thread.start()
    while not stop.wait(AGAIN_S) and singleton.held():
        pass
    over.set()
    for thread in threads:
        thread.join(timeout=5)


def listen(stop: threading.Event, source: str, address: str) -> None:
    """One feed, connection after connection."""
    reachable = True
    while not stop.is_set():
        try:
            feed = open_feed(address)
        except FeedLost as error:
            if reachable:
                log.warning("The price feed %s cannot be reached, trying again: %s", source, error)
            reachable = False
            stop.wait(AGAIN_S)
            continue
        reachable = True
        try:
            _follow(stop, source, feed)
        except FeedLost as error:
            log.warning("The price feed %s is lost, opening it again: %s", source, error)
            stop.wait(AGAIN_S)
        finally:
            feed.close()
    connection.close()


def _follow(stop: threading.Event, source: str, feed: PriceFeed) -> None:
    """Read one connection until it is lost; what was heard last is still written."""
    portion, due, failing = _Portion(), time.monotonic(), False
    while not stop.is_set():
        try:
            portion.add(feed.read(timeout_s=READ_S))
        except FeedLost:
            if portion.heard_at is not None and not failing:
                _write(source, feed, portion)
            raise
        if len(portion.ticks) > MOST_TICKS or len(portion.unread) > MOST_TICKS:
            raise FeedLost("more was heard than could be written")
        if portion.heard_at is None or time.monotonic() < due:
            continue
        due = time.monotonic() + TAKE_EVERY_S
        try:
            _write(source, feed, portion)
        except Error as error:
            if not failing:
                log.warning("Prices of %s cannot be written, trying again: %s", source, error)
            failing = True
            connection.close()
        else:
            portion, failing = _Portion(), False


def _write(source: str, feed: PriceFeed, portion: _Portion) -> None:
    at = utc_now()
    assert portion.heard_at is not None
    take_ticks(
        actor=ACTOR,
        at=at,
        source=source,
        session=feed.session,
        heard_at=portion.heard_at,
        ticks=portion.ticks,
        snapshot=portion.snapshot,
    )
    if portion.unread or portion.snapshot:
        wrong = bool(portion.unread)
        set_anomaly(anomaly=_unread(source, portion.unread), wrong=wrong, actor=ACTOR.actor, at=at)


def _unread(source: str, lines: list[str]) -> Anomaly:
    return Anomaly(
        kind="FEED_UNREADABLE",
        severity=Severity.MEDIUM,
        subject_type="price_feed",
        subject_id=source,
        sentence=(
            f"{len(lines)} lines of the price feed {source} cannot be read; the others were taken."
            if lines
            else f"Every line of the price feed {source} can be read again."
        ),
        dedupe_key=f"feed_unreadable:{source}",
        evidence={"lines": lines[:20], "count": len(lines)},
    )
