"""Count messages that passed: move the bucket of each subject on. Called last in the caller's transaction, ascending.

A bucket is counted where it is written, read where it is judged: of several requests at the same moment each may see room
that the others take. They are counted all the same, so a bucket goes over its burst by no more than there are requests at
once and the next ones wait for it (ADR 0023).
"""

from __future__ import annotations

from collections.abc import Mapping

from journal.bulk import raw_cursor

COUNT_ROWS_SQL = """
INSERT INTO risk_ratebucket (subject, full_at)
{rows}
    ON CONFLICT (subject) DO UPDATE
   SET full_at = GREATEST(risk_ratebucket.full_at, statement_timestamp()) + (excluded.full_at - statement_timestamp())
"""
"""For a statement that brings its own rows of subject and step, as one writing statement does."""

_COUNT = COUNT_ROWS_SQL.format(
    rows="""
SELECT subject, statement_timestamp() + us * interval '1 microsecond'
  FROM unnest(%s::text[], %s::bigint[]) AS t(subject, us) ORDER BY subject
"""
)


def count_messages(*, used_us: Mapping[str, int]) -> None:
    """``used_us`` is how far each bucket moves: messages times the step of its mark."""
    moved = {subject: us for subject, us in used_us.items() if us}
    if not moved:
        return
    with raw_cursor() as cursor:
        cursor.execute(_COUNT, [list(moved), list(moved.values())])
