"""A process says that it lives, what it is built of, and how far its clock is from the database's. Every few seconds."""

from __future__ import annotations

from datetime import datetime

from journal.bulk import raw_cursor

_REPORT = """
INSERT INTO journal_process (id, name, build, fingerprint, parts, clock_offset_ms, started_at, seen_at)
VALUES (%s, %s, %s, %s, %s, round(extract(epoch FROM %s::timestamptz - statement_timestamp()) * 1000), statement_timestamp(),
        statement_timestamp())
    ON CONFLICT (id) DO UPDATE
   SET build = excluded.build, fingerprint = excluded.fingerprint, parts = excluded.parts,
       clock_offset_ms = excluded.clock_offset_ms, seen_at = excluded.seen_at
"""
_FORGET = "DELETE FROM journal_process WHERE seen_at < statement_timestamp() - interval '1 day'"


def report_process(*, process_id: str, name: str, build: str, fingerprint: str, parts: str, at: datetime) -> None:
    """``at`` is the process's own clock now; ``process_id`` is host, pid and name. Rows of a day ago are forgotten."""
    with raw_cursor() as cursor:
        cursor.execute(_REPORT, [process_id, name, build, fingerprint, parts, at])
        cursor.execute(_FORGET)
