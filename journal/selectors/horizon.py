"""Up to which position the journal can no longer change. Every tail of the journal stops there.

Positions are drawn before commit, so a later position may become visible before an earlier one. Filtering by
``xid < pg_snapshot_xmin(...)`` alone does not help a reader that keeps a position: a transaction with an old xid may
draw a late position, commit, and pull the reader past an earlier position whose transaction has a younger xid. So
the proof runs the other way: read the last position drawn, then the next xid; once no transaction older than that
xid runs, every position up to there is either visible or will never be. It rests on each writer having its xid
before it draws a position, which the statement trigger ``journal_event_xid_first`` sees to.
"""

from __future__ import annotations

import time

from journal.bulk import raw_cursor

EVENT_SEQUENCE = "journal_event_position_seq"


class Horizon:
    """The settled position of one sequence. Keep one per process and loop: what was proven stays proven.

    Must be read outside of a transaction that has written, whose own xid would hold it back.
    """

    def __init__(self, sequence: str = EVENT_SEQUENCE) -> None:
        self._last_value = f'SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM "{sequence}"'  # noqa: S608
        self._proven = 0
        self._ceiling = 0
        self._ceiling_xid = 0

    def position(self, *, patience_s: float = 0.05) -> int:
        """The highest position at or below which nothing can appear any more.

        Waits up to ``patience_s`` for transactions that may still write below the newest position; if they take
        longer, an older proof is returned and the next call goes on from there.
        """
        pause = 0.0005
        deadline = time.monotonic() + patience_s
        while True:
            if self._look() or time.monotonic() >= deadline:
                return self._proven
            time.sleep(pause)
            pause = min(pause * 2, 0.01)

    def _look(self) -> bool:
        """One look; true when the newest position known is proven."""
        with raw_cursor() as cursor:
            if self._ceiling <= self._proven:
                cursor.execute(self._last_value)
                row = cursor.fetchone()
                self._ceiling = int(row[0]) if row else 0
                if self._ceiling <= self._proven:
                    self._proven = self._ceiling
                    return True
                self._ceiling_xid = 0
            cursor.execute(
                "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint "
                "FROM (SELECT pg_current_snapshot() AS s) AS now"
            )
            row = cursor.fetchone()
        xmin, xmax = row if row else (0, 0)
        self._ceiling_xid = self._ceiling_xid or xmax
        if xmin >= self._ceiling_xid:
            self._proven = self._ceiling
            return True
        return False
