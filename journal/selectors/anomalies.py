"""Whether a matter was raised and not cleared since."""

from __future__ import annotations

from collections.abc import Collection

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


def raised_among(dedupe_keys: Collection[str]) -> frozenset[str]:
    """Those of the matters that stand as wrong now: one statement for whoever looks at many."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (stream) stream, kind FROM journal_event WHERE stream = ANY(%s) ORDER BY stream, seq DESC",
            [[f"anomaly:{key}" for key in dedupe_keys]],
        )
        rows = cursor.fetchall()
    return frozenset(stream.removeprefix("anomaly:") for stream, kind in rows if kind == ANOMALY_RAISED)
