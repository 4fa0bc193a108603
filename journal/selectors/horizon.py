"""Up to which position the journal can no longer change. Every tail of the journal stops there.

Positions are drawn before commit, so a later position may become visible before an earlier one. Filtering by
``xid < pg_snapshot_xmin(...)`` does not help a reader that keeps a position: a transaction with an old xid may draw a
late position, commit, and pull the reader past an earlier position whose transaction has a younger xid. It also
stands still while any long transaction of the whole cluster runs.

So the proof asks for what a writer cannot be without: ``ROW EXCLUSIVE`` on the table, taken before it draws a
position and held until its rows are visible. Read the last position drawn, then who holds that lock; once all of
them have let go, every position up to there is either visible or will never be.
"""

from __future__ import annotations

import time

from journal.bulk import raw_cursor

EVENT_TABLE = "journal_event"
EVENT_SEQUENCE = "journal_event_position_seq"

_WRITERS = """
SELECT virtualtransaction FROM pg_locks
 WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND relation = %s::text::regclass
   AND pid IS DISTINCT FROM pg_backend_pid()
"""


class Horizon:
    """The settled position of one table. Keep one a loop: what was proven stays proven. Use it from one thread."""

    def __init__(self, table: str = EVENT_TABLE, sequence: str = EVENT_SEQUENCE) -> None:
        self._table = table
        self._last_value = f'SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM "{sequence}"'  # noqa: S608
        self._proven = 0
        self._ceiling = 0
        self._writers: frozenset[str] | None = None

    @property
    def pending(self) -> bool:
        """Whether a newer position waits for its proof: look again soon instead of waiting for a wake-up."""
        return self._writers is not None

    def position(self, *, patience_s: float = 0.05) -> int:
        """The highest position at or below which nothing can appear any more.

        Waits up to ``patience_s`` for writers that may still appear below the newest position; if they take longer,
        an older proof is returned and the next call goes on from there.
        """
        pause = 0.0005
        deadline = time.monotonic() + patience_s
        newest = not self.pending
        while True:
            if self._look():
                if newest:
                    return self._proven
                newest = True
                continue
            if time.monotonic() >= deadline:
                return self._proven
            time.sleep(pause)
            pause = min(pause * 2, 0.01)

    def _look(self) -> bool:
        """One look; true when the position it asks about is proven."""
        with raw_cursor() as cursor:
            if self._writers is None:
                cursor.execute(self._last_value)
                row = cursor.fetchone()
                self._ceiling = int(row[0]) if row else 0
                if self._ceiling == self._proven:
                    return True
            cursor.execute(_WRITERS, [self._table])
            now = frozenset(row[0] for row in cursor.fetchall())
        waiting = now if self._writers is None else self._writers & now
        if waiting:
            self._writers = waiting
            return False
        self._proven, self._writers = self._ceiling, None
        return True
