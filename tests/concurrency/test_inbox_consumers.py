"""Consumers of one inbox side by side, coming and going under traffic: nothing twice, nothing lost, the same end as one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from journal.models import Cursor, Event
from kernel.clock import utc_now
from orders.models import Execution
from tests.factories import AT, DeskWorld, make_desk
from tests.factories.inbound import (
    ADAPTER,
    FILLS,
    Book,
    Said,
    ends_in_trade,
    make_book,
    messages,
    script,
    store,
    verify,
)
from venues.domain.inbox import ALL_SHARDS
from venues.inbox import shards_of
from venues.selectors.inbox import inbox_lag
from venues.services.consume_inbox import InboxRun, consume_inbox

pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = 24
SLICE = 20


@pytest.fixture
def world() -> DeskWorld:
    return make_desk(cash="1000000")


class Consumers:
    """Threads that work one session as processes of the house would, and what each of them says it did."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.runs: list[InboxRun] = []
        self.failures: list[BaseException] = []

    def work(self, stop: threading.Event, shards: tuple[int, ...]) -> None:
        """Own shards first, then whatever is free, until stopped and nothing is left."""
        try:
            while True:
                ending = stop.is_set()
                done = self._slice(shards) + self._slice(ALL_SHARDS)
                if ending and not done:
                    return
                time.sleep(0 if done else 0.005)
        except BaseException as error:
            self.failures.append(error)
        finally:
            connection.close()

    def _slice(self, shards: tuple[int, ...]) -> int:
        run = consume_inbox(session=self.session, adapter_name=ADAPTER, shards=shards, limit=SLICE, at=utc_now())
        self.runs.append(run)
        return run.handled

    @contextmanager
    def running(self, count: int) -> Iterator[None]:
        """So many of them for a while. Those that end finish their slice, whoever begins meanwhile."""
        stop = threading.Event()
        threads = [
            threading.Thread(target=self.work, args=(stop, shards_of(number, count))) for number in range(1, count + 1)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
            assert not any(thread.is_alive() for thread in threads)

    def prove(self, book: Book, said: list[Said]) -> None:
        """Every message was worked by exactly one of them and left what the script amounts to."""
        assert self.failures == []
        assert inbox_lag()[0] == 0
        assert sum(run.handled for run in self.runs) == len(said)
        assert sum(run.duplicates for run in self.runs) == sum(item.again == "poss_dup" for item in said)
        assert sum(run.set_aside for run in self.runs) == 0
        first_told = sum(not item.again for item in said)
        streams = [f"order:{order_id}" for order_id in book.order_ids]
        assert Event.objects.filter(kind="ReportApplied", stream__in=streams).count() == first_told
        trades = sum(FILLS if ends_in_trade(order) else FILLS - 1 for order in range(len(book.order_ids)))
        assert Execution.objects.filter(order_id__in=book.order_ids).count() == trades


def test_two_consumers_end_where_one_does(world: DeskWorld) -> None:
    ends = []
    for name, count in (("ONE", 1), ("TWO", 2)):
        book = make_book(world, name, accounts=5, orders=ORDERS, at=AT)
        said = script(range(ORDERS), seed=5)
        store(list(messages(book, said)))
        consumers = Consumers(name)
        with consumers.running(count):
            pass
        consumers.prove(book, said)
        ends.append(verify(book))
    assert ends[0] == ends[1]


def test_consumers_come_and_go_under_traffic(world: DeskWorld) -> None:
    """1, 2, 4 and 1 again: each next crew begins while the one before still works."""
    book = make_book(world, "CREWS", accounts=7, orders=ORDERS, at=AT)
    said = script(range(ORDERS), seed=9)
    rows = list(messages(book, said))
    consumers = Consumers("CREWS")
    fed = threading.Event()

    def feed() -> None:
        try:
            for start in range(0, len(rows), 10):
                store(rows[start : start + 10])
                time.sleep(0.01)
        finally:
            fed.set()
            connection.close()

    feeder = threading.Thread(target=feed)
    feeder.start()
    for count in (1, 2, 4):
        with consumers.running(count):
            time.sleep(0.15)
    with consumers.running(1):
        assert fed.wait(60)
    feeder.join(10)
    consumers.prove(book, said)
    verify(book)
    assert Cursor.objects.filter(name__startswith="inbox:CREWS:").count() == len(ALL_SHARDS)
