"""The inbox falls behind: the recorder holds, the engine's queue fills and blocks, a person is told; it clears itself."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from datetime import timedelta

import pytest

from journal.models import Event
from journal.selectors.anomalies import is_raised
from kernel.clock import utc_now
from tests.factories import AT, make_desk
from tests.factories.inbound import ADAPTER, Book, make_book, messages, script, verify
from tests.fix_venue import wait_until
from venues.gateway.backlog import Backlog
from venues.gateway.engine import Happening, WireItem
from venues.gateway.recorder import Recorder, SessionMemo
from venues.models import WireMessage
from venues.services.consume_inbox import consume_inbox
from venues.services.report_inbox_depth import inbox_matter

pytestmark = pytest.mark.django_db(transaction=True)
BOUND = 20
QUEUE = 15
AT_ONCE = timedelta(0)


@pytest.fixture
def book() -> Book:
    return make_book(make_desk(cash="1000000"), "SLOW", accounts=3, orders=8, at=AT)


@pytest.fixture
def recorder(book: Book) -> Iterator[Recorder]:
    """As the gateway's, with a small queue and a small bound."""
    made = Recorder(
        queue.Queue(maxsize=QUEUE),
        {book.session: SessionMemo(book.session, "e1", 1, 1)},
        fence=0,
        backlog=Backlog([book.session], bound=BOUND, look_every=AT_ONCE),
    )
    made.start()
    yield made
    made.finish()
    made.join(20)
    assert made.failure is None


def work(book: Book, limit: int) -> int:
    return consume_inbox(session=book.session, adapter_name=ADAPTER, shards=None, limit=limit, at=utc_now()).handled


def told(kind: str) -> int:
    return Event.objects.filter(kind=kind, payload__kind="INBOX_BEHIND").count()


def test_a_full_inbox_stops_the_reading_until_it_is_worked(book: Book, recorder: Recorder) -> None:
    items = recorder._items
    raws = [str(row[9]) for row in messages(book, script(range(8), seed=2))]
    waiting = [WireItem(Happening.IN, book.session, raw, utc_now()) for raw in raws]
    assert len(waiting) > BOUND + 3 * QUEUE

    def offer() -> bool:
        """What the engine's callbacks do, without waiting: whether the queue took nothing more."""
        while waiting:
            try:
                items.put_nowait(waiting[0])
            except queue.Full:
                return True
            waiting.pop(0)
        return False

    wait_until(lambda: offer() and is_raised(inbox_matter(book.session)), what="the inbox to be behind")
    stored = WireMessage.objects.filter(session=book.session).count()
    assert BOUND < stored <= BOUND + 2 * QUEUE
    assert offer()
    assert WireMessage.objects.filter(session=book.session).count() == stored, "it reads on"
    assert (told("AnomalyRaised"), told("AnomalyCleared")) == (1, 0)

    while work(book, 10):
        pass
    wait_until(lambda: not is_raised(inbox_matter(book.session)), what="the inbox to catch up")

    def all_worked() -> bool:
        offer()
        return not work(book, 10) and not waiting and items.empty()

    wait_until(all_worked, what="the rest")
    verify(book)
    # It may have fallen behind once more on the way; the recorder says that it has caught up at its next look.
    wait_until(lambda: not is_raised(inbox_matter(book.session)), what="the last word")
    assert told("AnomalyRaised") == told("AnomalyCleared") >= 1


def test_a_new_gateway_clears_what_the_one_before_raised(book: Book) -> None:
    session = book.session
    rows = [WireItem(Happening.IN, session, str(row[9]), utc_now()) for row in messages(book, script(range(8), seed=2))]
    first = Recorder(queue.Queue(), {session: SessionMemo(session, "e1", 1, 1)}, fence=0)
    for item in rows:
        first._items.put(item)
    first.finish()
    first.run()
    assert Backlog([session], bound=BOUND, look_every=AT_ONCE).is_too_long()
    again = Backlog([session], bound=BOUND, look_every=AT_ONCE)
    assert again.is_too_long()
    assert told("AnomalyRaised") == 1
    while work(book, 500):
        pass
    assert not again.is_too_long()
    assert not Backlog([session], bound=BOUND).is_too_long()
    assert told("AnomalyCleared") == 1
