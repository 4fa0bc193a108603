"""Shares the recomputation of all hashes out over processes: it is half of what proving costs, and Python does most of it.

Programs of their own and no forks: they are started from threads and from Celery's processes, beside open connections. Each
reads its range of blocks as of the snapshot this run exported. A small journal, or a snapshot that nobody else can see
(that of a transaction which itself has written), is read here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from operations.fsck.check import Found
from operations.fsck.hash_slice import Blocks, Order, altered_in
from operations.fsck.readers import usual_readers
from operations.fsck.snapshot import Snapshot

ROOT = Path(__file__).resolve().parents[2]
WORTH_BLOCKS = 10_000  # of 8 kB: with fewer, a start of Python costs more than it saves
_SIZE = "SELECT pg_relation_size('journal_event') / current_setting('block_size')::int"
_TIMEOUT = "SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'"


def altered_events(snapshot: Snapshot) -> Iterator[Found]:
    """Events whose hash does not cover what they say."""
    blocks = int(snapshot.rows(_SIZE)[0][0])
    alone = not snapshot.exported or blocks < WORTH_BLOCKS
    for name in altered_in(snapshot.connection, Blocks()) if alone else altered_in_slices(snapshot, blocks):
        yield Found(name, "says something else than when it was written")


def altered_in_slices(snapshot: Snapshot, blocks: int, slices: int | None = None) -> Iterator[str]:
    """As ``altered_in`` of everything, each slice by a program of its own, all at once."""
    info, count = snapshot.connection.info, slices or usual_readers()
    where = {**info.get_parameters(), "password": info.password, "application_name": "oms fsck hashes"}
    timeout = int(snapshot.rows(_TIMEOUT)[0][0])
    ends: list[int | None] = [blocks * place // count for place in range(1, count)]
    with ExitStack() as stack:
        running = [
            stack.enter_context(_started(Order(where, snapshot.exported, first or 0, end, timeout)))
            for first, end in zip([0, *ends], [*ends, None], strict=True)
        ]
        for process in running:
            yield from _answer(process)


@contextmanager
def _started(order: Order) -> Iterator[subprocess.Popen[str]]:
    """A slice at work. Its standard input stays open as long as somebody waits for it; when that ends, so does the slice."""
    command = [sys.executable, "-m", "operations.fsck.hash_slice"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()


def _answer(process: subprocess.Popen[str]) -> Iterator[str]:
    """What one slice found; what stopped it is raised as if it had happened here."""
    assert process.stdout is not None
    for line in process.stdout:
        said = json.loads(line)
        if "done" in said:
            return
        if "failed" in said:
            raise psycopg.errors.lookup(said["failed"])(said["sentence"])
        yield said["altered"]
    raise ValueError("A program that recomputes hashes ended before it had read its slice.")
