"""What a report costs where the clock does not wobble: statements a batch, bytes of WAL an execution, size of the row.

Bounds, not measurements: a figure above one is a regression to look at, a lower one may be written down.
"""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from django.db import connection

from kernel.clock import utc_now
from orders.models import Execution, Order
from tests.factories import AT, make_desk
from tests.factories.inbound import ADAPTER, Book, make_book, messages, script, store
from tests.performance.test_query_counts import TRANSACTION_CONTROL, statements_sent
from venues.services.consume_inbox import consume_inbox

pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = 60
STATEMENTS = 24
"""Of a batch of any size whose reports are trades and acknowledgements in turn: BEGIN and COMMIT not counted."""
STATEMENTS_LATE = 4
"""More where some orders must be read again from the journal, or executions change."""
WAL_PER_EXECUTION = 5_600
"""Two events, an execution, two bookings, the new versions of order, hold, balances and sums of limits, of the cheapest batch: one
that comes after a checkpoint, which a busy neighbour brings about, writes whole pages. 14.8 kB is the naive figure."""


@pytest.fixture
def book() -> Book:
    book = make_book(make_desk(cash="1000000"), "COST", accounts=9, orders=ORDERS, at=AT)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return book


def work(book: Book, limit: int) -> tuple[int, int]:
    """One slice: messages handled and statements sent."""
    with statements_sent() as sent:
        run = consume_inbox(session=book.session, adapter_name=ADAPTER, shards=None, limit=limit, at=utc_now())
    return run.handled, sum(not sql.startswith(TRANSACTION_CONTROL) for sql in sent)


def work_alone(book: Book, limit: int) -> int:
    """One slice, once nothing that runs elsewhere in the cluster can still see what the slice before it replaced.

    A long transaction of the tests beside these, in another database too, keeps every old version on its page: the page
    fills, the next version goes elsewhere and takes its index entries along. That is the neighbour's cost, not ours.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        before = cursor.fetchone()
        assert before is not None
        patience = time.monotonic() + 120
        while True:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            oldest = cursor.fetchone()
            assert oldest is not None
            if oldest[0] > before[0]:
                break
            assert time.monotonic() < patience, "a transaction beside this test does not end"
            time.sleep(0.02)
    return work(book, limit)[0]


def wal() -> Decimal:
    """Bytes that this connection has written so far; the cluster's own figure counts what runs beside."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT wal_bytes FROM pg_stat_get_backend_wal(pg_backend_pid())")
        row = cursor.fetchone()
    assert row is not None
    return Decimal(row[0])


def test_a_batch_of_one_and_of_hundreds_take_the_same_statements(book: Book) -> None:
    plain = [
        row for row in messages(book, script(range(ORDERS), seed=4)) if not row[5] and "\x0197=Y" not in str(row[9])
    ]
    in_turn = sorted(
        (row for row in plain if "\x01150=G" not in str(row[9]) and "\x01150=H" not in str(row[9])), key=lambda r: r[3]
    )
    store(in_turn[:1])
    one, of_one = work(book, 500)
    store(in_turn[1:401])
    many, of_many = work(book, 5000)
    assert (one, many) == (1, 400)
    assert of_one <= of_many <= STATEMENTS, (of_one, of_many)


def test_disorder_costs_a_few_statements_a_batch_and_not_one_a_report(book: Book) -> None:
    rows = list(messages(book, script(range(ORDERS), seed=4)))
    store(rows)
    counts = []
    while True:
        handled, statements = work(book, 160)
        if not handled:
            break
        counts.append(statements)
    assert max(counts) <= STATEMENTS + STATEMENTS_LATE, counts


def test_an_execution_writes_few_bytes_of_wal_however_many_came_before(book: Book) -> None:
    rows = list(messages(book, script(range(ORDERS), seed=4)))
    store(rows)
    costs = []
    executions = 0
    while True:
        before = wal()
        if not work_alone(book, 160):
            break
        done = Execution.objects.count()
        if done - executions > 50:
            costs.append((wal() - before) / (done - executions))
        executions = done
    steady = costs[1:]  # the first batch is mostly acknowledgements
    assert len(steady) >= 2
    assert min(steady) < WAL_PER_EXECUTION, costs
    assert steady[-1] < steady[0] * Decimal("1.25"), "it grows with the reports an order has"


def test_most_versions_of_orders_and_balances_touch_no_index(book: Book) -> None:
    """HOT updates: a new version beside the old one, on the same page. An order's OrderID and its end are indexed."""
    before = versions()
    store(list(messages(book, script(range(ORDERS), seed=4))))
    while work_alone(book, 40):
        pass
    for table, least in (("orders_order", "0.5"), ("accounts_cashbalance", "0.9"), ("accounts_holding", "0.9")):
        updates, hot = (now - then for now, then in zip(versions()[table], before[table], strict=True))
        assert updates > 100
        assert Decimal(hot) / updates >= Decimal(least), (table, updates, hot)


def versions() -> dict[str, tuple[int, int]]:
    """Updates and HOT updates of each table so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables")
        return {str(name): (int(updates), int(hot)) for name, updates, hot in cursor.fetchall()}


def test_the_row_stays_small(book: Book) -> None:
    store(list(messages(book, script(range(ORDERS), seed=4))))
    while work(book, 500)[0]:
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(length(facts::text)) FROM orders_order")
        row = cursor.fetchone()
    assert row is not None
    assert row[0] < 700
    assert Order.objects.filter(ord_status__in=["1", "2"]).count() == ORDERS
