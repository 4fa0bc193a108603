"""Whether a matter was raised and not cleared since."""

from __future__ import annotations

from journal.bulk import raw_cursor
from journal.domain.records import ANOMALY_RAISED


def is_raised(dedupe_key: str) -> bool:
    """True while the last word on the matter is that it is wrong."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT kind FROM journal_event WHERE stream = %s ORDER BY seq DESC LIMIT 1", [f"anomaly:{dedupe_key}"]
        )
        row = cursor.fetchone()
    return row is not None and row[0] == ANOMALY_RAISED
