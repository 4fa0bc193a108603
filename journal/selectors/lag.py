"""How far each listener is behind: the queue figures of ``./oms status`` and the health page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from journal.bulk import raw_cursor
from journal.domain.records import CursorLag

_LAG = """
SELECT w.name, coalesce(c.position, 0), coalesce(e.depth, 0), e.oldest_at
  FROM (SELECT DISTINCT name FROM unnest(%s::text[]) AS n(name)) AS w
  LEFT JOIN journal_cursor c ON c.name = w.name
  LEFT JOIN LATERAL (
       SELECT count(*) AS depth, min(recorded_at) AS oldest_at
         FROM (SELECT recorded_at FROM journal_event
                WHERE position > coalesce(c.position, 0)
                  AND kind IN (SELECT k.kind FROM unnest(%s::text[], %s::text[]) AS k(name, kind) WHERE k.name = w.name)
                ORDER BY position LIMIT 10000) AS behind
       ) AS e ON true
 ORDER BY w.name
"""


def find_cursor(name: str) -> int:
    """The position of a listener's cursor; 0 before its first run."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT position FROM journal_cursor WHERE name = %s", [name])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def list_cursor_lags(kinds_by_listener: Mapping[str, tuple[str, ...]], *, at: datetime) -> list[CursorLag]:
    """The lag of each named listener, counting only events of its kinds; depth stops counting at 10,000."""
    pairs = [(name, kind) for name, kinds in kinds_by_listener.items() for kind in kinds]
    names, kinds = [name for name, _ in pairs], [kind for _, kind in pairs]
    with raw_cursor() as cursor:
        cursor.execute(_LAG, [list(kinds_by_listener), names, kinds])
        return [
            CursorLag(name, position, depth, max((at - oldest_at).total_seconds(), 0.0) if oldest_at else 0.0)
            for name, position, depth, oldest_at in cursor.fetchall()
        ]
