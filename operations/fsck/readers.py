"""Several readers of one moment: checks carried out side by side, each on a connection of its own and on the same snapshot.

The functions stay with the caller, in its thread and on its connection: Python runs one thread at a time anyway, and some of
them read through the rooms below. The statements, and functions that leave their work to other processes, are shared by the
other readers, so that server and processes work on other cores meanwhile.
What the checks of a run see is one moment still: each reader takes over the snapshot the caller's transaction exports.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from journal.notify import dedicated_connection
from operations.fsck.check import Check, Outcome
from operations.fsck.prove import EXAMPLES, NO_NEWS, prove_one
from operations.fsck.snapshot import Snapshot, settle

MOST_READERS = 4  # each may sort and hash in memory of its own


def usual_readers() -> int:
    """One for each core this process may use."""
    return min(len(os.sched_getaffinity(0)), MOST_READERS)


def prove_together(
    snapshot: Snapshot,
    checks: Sequence[Check],
    *,
    readers: int | None = None,
    examples: int = EXAMPLES,
    within_s: float | None = None,
    told: Callable[[Outcome], None] = NO_NEWS,
) -> tuple[Outcome, ...]:
    """As ``prove``, with ``readers`` connections besides the caller's. ``told`` hears outcomes as they come, one at a time."""
    ends = None if within_s is None else time.perf_counter() + within_s
    work = _Work(checks, examples, ends, told)
    count = min(usual_readers() if readers is None else readers, len(work.shared))
    snapshot = replace(snapshot, exported=str(snapshot.rows("SELECT pg_export_snapshot()")[0][0]))

    def read() -> None:
        with _reader(snapshot) as reader:
            work.carry_out(reader, work.shared)

    with ThreadPoolExecutor(max(count, 1), thread_name_prefix="fsck") as pool:
        others = [pool.submit(read) for _ in range(count)]
        work.carry_out(snapshot, work.own)
        if count == 0:
            work.carry_out(snapshot, work.shared)
        for other in others:
            other.result()
    return tuple(work.outcomes[check.code] for check in checks if check.code in work.outcomes)


@contextmanager
def _reader(snapshot: Snapshot) -> Iterator[Snapshot]:
    """The moment of ``snapshot`` on a connection of its own. One core each: it starts no helpers in the server."""
    with dedicated_connection("fsck reader") as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot.exported}'".encode())
        settle(connection, at=snapshot.at, helpers=0)
        yield replace(snapshot, connection=connection)


@dataclass(slots=True)
class _Work:
    """What is left to do and what came of it. Taken from a deque and put in a dictionary: safe between threads."""

    checks: Sequence[Check]
    examples: int
    ends: float | None
    told: Callable[[Outcome], None]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    shared: deque[Check] = field(init=False)
    own: deque[Check] = field(init=False)
    telling: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        anybodys = [check for check in self.checks if check.sql or check.apart]
        self.shared = deque(sorted(anybodys, key=lambda check: not check.apart))  # the longest first
        self.own = deque(check for check in self.checks if not (check.sql or check.apart))

    def carry_out(self, snapshot: Snapshot, waiting: deque[Check]) -> None:
        """Take checks until none is left or the time is up."""
        while True:
            left_s = None if self.ends is None else self.ends - time.perf_counter()
            if left_s is not None and left_s <= 0:
                return
            try:
                check = waiting.popleft()
            except IndexError:
                return
            outcome = prove_one(snapshot, check, self.examples, left_s)
            if outcome is None:
                return
            with self.telling:
                self.outcomes[check.code] = outcome
                self.told(outcome)
