"""``ingest``: execution reports with disorder through inbox, core, positions and cash, against COPY of the same rows.

Each turn: a slice of reports is put into the inbox, the consumers (processes of their own, as in the house) work it off,
then the rows they wrote (events, executions, bookings, every order, hold and balance row at each change) are copied as
ready text into empty twins of the tables with all their indexes and constraints, in as many durable transactions as there
were slices. Storing the raw messages is the gateway's work and in neither time; the paced run has it. ``rate`` and
``ratio`` are of one consumer, ``rate_two`` and ``ratio_two`` of two. Latencies: reports offered to the gateway's own
recorder at a fixed pace, from arrival in its queue to the commit that made them part of the books.

Verified: every order, balance and holding equals a reckoning made from the script alone; other batch sizes and numbers of
consumers end in the same state.
"""

from __future__ import annotations

import multiprocessing
import queue
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from django.db import connection

from benchmarks.support import build_desk
from journal.bulk import raw_cursor
from journal.notify import wait_for
from kernel.clock import utc_now
from tests.factories import DeskWorld
from tests.factories.inbound import ADAPTER, REPORTS, Book, make_book, messages, script, store, verify
from venues import inbox
from venues.domain.channels import INBOX_CHANNEL
from venues.domain.inbox import UNWORKED
from venues.gateway.engine import Happening, WireItem
from venues.gateway.recorder import Recorder, SessionMemo
from venues.models import WireMessage
from venues.selectors.inbox import inbox_lag
from venues.services.consume_inbox import consume_inbox

ACCOUNTS = 100
TURN = 4000  # messages
PACE = 2000  # reports a second


def main(full: bool) -> dict[str, Any]:
    """Rates per second, ratios to the floor, latencies in milliseconds of the paced run."""
    orders, paced = (10_000, 20_000) if full else (1_500, 4_000)
    desk = build_desk().world
    warm = make_book(desk, "W", accounts=10, orders=100)
    _measure(warm, 1, seed=1)
    one, two = (make_book(desk, name, accounts=ACCOUNTS, orders=orders) for name in ("A", "B"))
    n, took, floor_s = _measure(one, 1, seed=7)
    n_two, took_two, floor_two_s = _measure(two, 2, seed=7)
    assert verify(one) == verify(two), "one consumer and two end differently"
    _same_end(desk)
    latencies = _paced(desk, paced)
    return {
        "rate": round(n / took, 1),
        "floor_rate": round(n / floor_s, 1),
        "ratio": round(floor_s / took, 3),
        "rate_two": round(n_two / took_two, 1),
        "floor_rate_two": round(n_two / floor_two_s, 1),
        "ratio_two": round(floor_two_s / took_two, 3),
        "p50_ms": _quantile(latencies, 0.50),
        "p95_ms": _quantile(latencies, 0.95),
        "p99_ms": _quantile(latencies, 0.99),
        "paced": PACE,
        "n": n,
        "orders": orders,
        "accounts": ACCOUNTS,
        "slice": inbox.SLICE,
        "consumers": 1,
    }


def _quantile(values: Sequence[float], part: float) -> float:
    return round(values[min(int(len(values) * part), len(values) - 1)] * 1000, 2)


# Consumers in processes of their own


class Crew:
    """``count`` consumers of one session; each works its shards off whenever told and says how many it handled."""

    def __init__(self, session: str, count: int, limit: int = inbox.SLICE) -> None:
        connection.close()
        context = multiprocessing.get_context("fork")
        self._pipes: list[Connection] = []
        self._processes = []
        for number in range(count):
            ours, theirs = context.Pipe()
            shards = None if count == 1 else [shard for shard in range(16) if shard % count == number]
            process = context.Process(target=_serve, args=(theirs, session, shards, limit), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        assert [pipe.recv() for pipe in self._pipes] == ["ready"] * count

    def work(self) -> tuple[float, int]:
        """Seconds until the inbox is empty, and the number of slices it took."""
        started = time.perf_counter()
        for pipe in self._pipes:
            pipe.send("go")
        slices = sum(pipe.recv() for pipe in self._pipes)
        return time.perf_counter() - started, slices

    def dismiss(self) -> None:
        for pipe in self._pipes:
            pipe.send("")
        for process in self._processes:
            process.join(10)


def _serve(pipe: Connection, session: str, shards: list[int] | None, limit: int) -> None:
    connection.ensure_connection()
    pipe.send("ready")
    while pipe.recv():
        slices = 0
        while consume_inbox(session=session, adapter_name=ADAPTER, shards=shards, limit=limit, at=utc_now()).handled:
            slices += 1
        pipe.send(slices)
    connection.close()


def _measure(book: Book, consumers: int, *, seed: int) -> tuple[int, float, float]:
    """Messages, seconds of the consumers, seconds of the floor; in turns."""
    rows = list(messages(book, script(range(len(book.order_ids)), seed=seed)))
    crew = Crew(book.session, consumers)
    floor = Floor()
    took = floor_s = 0.0
    for start in range(0, len(rows), TURN):
        store(rows[start : start + TURN])
        since = utc_now()
        seconds, slices = crew.work()
        took += seconds
        floor_s += floor.run(since, slices)
    crew.dismiss()
    return len(rows), took, floor_s


# The floor


_TURN_ROWS = {
    "journal_event": "SELECT {columns} FROM journal_event t WHERE recorded_at >= %s",
    "orders_execution": "SELECT {columns} FROM orders_execution t WHERE recorded_at >= %s",
    "accounts_booking": "SELECT {columns} FROM accounts_booking t WHERE recorded_at >= %s",
    "orders_order": (
        "SELECT {columns} FROM (SELECT DISTINCT stream, recorded_at FROM journal_event "
        "WHERE kind = 'ReportApplied' AND recorded_at >= %s) u JOIN orders_order t ON 'order:' || t.id = u.stream"
    ),
    "accounts_reservation": (
        "SELECT {columns} FROM (SELECT DISTINCT order_id, recorded_at FROM accounts_booking WHERE recorded_at >= %s) u "
        "JOIN accounts_reservation t ON t.order_id = u.order_id"
    ),
    "accounts_cashbalance": (
        "SELECT {columns} FROM (SELECT DISTINCT account_id, currency, recorded_at FROM accounts_booking "
        "WHERE currency <> '' AND recorded_at >= %s) u JOIN accounts_cashbalance t USING (account_id, currency)"
    ),
    "accounts_holding": (
        "SELECT {columns} FROM (SELECT DISTINCT account_id, instrument_id, recorded_at FROM accounts_booking "
        "WHERE currency = '' AND recorded_at >= %s) u JOIN accounts_holding t USING (account_id, instrument_id)"
    ),
}
# A row that changes n times is n rows of the twin: what is unique there gets a value of its own.
_FRESH = {
    ("orders_order", "id"): "gen_random_uuid()",
    ("orders_order", "ref"): "substr(md5(random()::text), 1, 16)",
    ("accounts_reservation", "order_id"): "gen_random_uuid()",
    ("accounts_cashbalance", "currency"): "t.currency",
    ("accounts_cashbalance", "account_id"): "gen_random_uuid()",
    ("accounts_holding", "account_id"): "gen_random_uuid()",
}
_IDENTITY = {"journal_event": {"position", "xid"}}


class Floor:
    """COPY of the rows a turn wrote, as text made before the clock starts, into twins of their tables."""

    def __init__(self) -> None:
        with raw_cursor() as cursor:
            for table in _TURN_ROWS:
                cursor.execute(f"CREATE TABLE IF NOT EXISTS floor_{table} (LIKE {table} INCLUDING ALL)")
        self.columns = {table: self._columns(table) for table in _TURN_ROWS}

    @staticmethod
    def _columns(table: str) -> list[str]:
        with raw_cursor() as cursor:
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_identity = 'NO' "
                "AND NOT column_name = ANY(%s) ORDER BY ordinal_position",
                [table, list(_IDENTITY.get(table, ()))],
            )
            return [str(row[0]) for row in cursor.fetchall()]

    def run(self, since: datetime, slices: int) -> float:
        """Seconds for the rows written from ``since`` on, in ``slices`` transactions."""
        texts = {table: self._text(table, since) for table in _TURN_ROWS}
        batches = [[(table, _share(lines, place, slices)) for table, lines in texts.items()] for place in range(slices)]
        statements = {
            table: f"COPY floor_{table} ({', '.join(names)}) FROM STDIN" for table, names in self.columns.items()
        }
        started = time.perf_counter()
        for batch in batches:
            with raw_cursor() as cursor:
                cursor.execute("BEGIN")
                for table, data in batch:
                    if data:
                        with cursor.copy(statements[table]) as copy:
                            copy.write(data)
                cursor.execute("COMMIT")
        return time.perf_counter() - started

    def _text(self, table: str, since: datetime) -> list[bytes]:
        chosen = ", ".join(_FRESH.get((table, name), f"t.{name}") for name in self.columns[table])
        with raw_cursor() as cursor:
            query = _TURN_ROWS[table].format(columns=chosen).replace("%s", f"'{since.isoformat()}'")
            with cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
                return b"".join(bytes(part) for part in copy).splitlines(keepends=True)


def _share(lines: list[bytes], place: int, parts: int) -> bytes:
    return b"".join(lines[len(lines) * place // parts : len(lines) * (place + 1) // parts])


# Same end whatever the batch size and the number of consumers


def _same_end(desk: DeskWorld) -> None:
    ends = []
    for number, (limit, consumers) in enumerate(((1, 1), (7, 2), (100, 1), (5000, 2), (1000, 4))):
        book = make_book(desk, f"E{number}", accounts=7, orders=20)
        store(list(messages(book, script(range(20), seed=3))))
        crew = Crew(book.session, consumers, limit)
        crew.work()
        crew.dismiss()
        ends.append(verify(book))
    assert all(end == ends[0] for end in ends), "batch size or number of consumers changed the end"


# Paced


def _paced(desk: DeskWorld, count: int) -> list[float]:
    """Seconds from a report's arrival at the recorder to its commit, ascending."""
    book = make_book(desk, "P", accounts=ACCOUNTS, orders=count // REPORTS)
    said = script(range(len(book.order_ids)), seed=11)
    raws = [str(row[9]) for row in messages(book, said)]
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    connection.close()
    consumer = context.Process(target=_consume_and_note, args=(theirs, book.session), daemon=True)
    consumer.start()
    assert ours.recv() == "ready"
    _offer(book, raws)
    deadline = time.monotonic() + 60
    while inbox_lag()[0] and time.monotonic() < deadline:
        time.sleep(0.05)
    ours.send("stop")
    notes: list[tuple[int, datetime]] = ours.recv()
    consumer.join(10)
    verify(book)
    arrived = list(WireMessage.objects.filter(session=book.session).order_by("id").values_list("id", "recorded_at"))
    latencies, place = [], 0
    for message_id, at in arrived:
        while notes[place][0] < message_id:
            place += 1
        latencies.append((notes[place][1] - at).total_seconds())
    return sorted(latencies)


def _offer(book: Book, raws: Sequence[str]) -> None:
    """Feed the gateway's recorder at the pace, whatever becomes of the messages."""
    items: queue.Queue[WireItem] = queue.Queue()
    recorder = Recorder(items, {book.session: SessionMemo(book.session, "e1", 1, 1)}, fence=0)
    recorder.start()
    started = time.perf_counter() + 0.2
    for number, raw in enumerate(raws):
        wait = started + number / PACE - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        items.put(WireItem(Happening.IN, book.session, raw, utc_now()))
    recorder.finish()
    recorder.join(30)
    assert recorder.failure is None, recorder.failure


def _consume_and_note(pipe: Connection, session: str) -> None:
    """The house's own consumer; after each commit, up to which message the inbox is done."""
    notes: list[tuple[int, datetime]] = []
    stop = threading.Event()

    def wait_for_the_end() -> None:
        pipe.recv()
        stop.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    sessions = [(session, ADAPTER)]
    pipe.send("ready")
    while not stop.is_set():
        if inbox.consume_all(sessions):
            done = utc_now()
            notes.append((_done_up_to(session), done))
        else:
            wait_for([INBOX_CHANNEL], inbox.POLL_S, stop)
    pipe.send(notes)


def _done_up_to(session: str) -> int:
    """The last message before the first one that waits."""
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce((SELECT min(w.id) - 1 FROM {UNWORKED} WHERE s.name = %s), "
            "(SELECT max(id) FROM venues_wiremessage))",
            [session],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
