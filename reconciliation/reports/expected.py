"""What our books expect of a day and what each source sent, as counts and sums, from the comparison of its newest file.

Counts are of records; sums are of both sides as the comparison read them, before tolerances. A sum differs where records
are missing or differ; it may agree though records do not, which the breaks tell.
"""

from __future__ import annotations

from reconciliation.reports.report import BATCH, DATE, Column, Report, Shape

WORDS = {
    "equal": "Both sides come to the same",
    "differs": "The two sides do not come to the same",
    "suspect": "The file is doubted: none of it was judged",
    "not_compared": "A file came and no comparison of it has ended",
}
STATEMENT = """
WITH runs AS (
    SELECT DISTINCT ON (r.kind, r.source) r.*, f.name AS file FROM reconciliation_run r
      JOIN reconciliation_feedfile f ON f.id = r.file_id
     WHERE r.as_of = %(day)s AND r.state IN ('done', 'suspect') AND (%(runs)s::uuid[] IS NULL OR r.id = ANY(%(runs)s::uuid[]))
     ORDER BY r.kind, r.source, r.created_at DESC, r.id DESC
), measures AS (
    SELECT r.id, 'records' AS measure, r.internal::numeric AS ours, r.external::numeric AS theirs FROM runs r
    UNION ALL
    SELECT r.id, s.key, (s.value ->> 0)::numeric, (s.value ->> 1)::numeric FROM runs r CROSS JOIN LATERAL jsonb_each(r.sums) s
)
SELECT CASE WHEN r.state = 'suspect' THEN 'suspect' WHEN m.ours = m.theirs THEN 'equal' ELSE 'differs' END,
       r.kind, r.source, m.measure, m.ours, m.theirs, m.theirs - m.ours,
       CASE WHEN m.measure = 'records' THEN r.matched END, CASE WHEN m.measure = 'records' THEN r.written + r.standing END,
       r.file, r.finished_at, r.id::text
  FROM runs r JOIN measures m ON m.id = r.id
 WHERE %(totals)s::boolean
UNION ALL
SELECT 'not_compared', f.kind, f.source, 'records', NULL, (f.counted ->> 'rows')::numeric, NULL, NULL, NULL, f.name, NULL, ''
  FROM reconciliation_feedfile f
 WHERE %(totals)s::boolean AND %(runs)s::uuid[] IS NULL AND f.statement_date = %(day)s AND f.state <> 'refused'
   AND f.kind IN ('orders', 'executions', 'positions', 'cash')
   AND NOT EXISTS (SELECT FROM reconciliation_run r WHERE r.file_id = f.id AND r.state IN ('done', 'suspect'))
"""
REPORT = Report(
    name="expected",
    title="Expected against actual",
    question="How many records of each kind did we expect of each source for a day, how many came, and what do both sides come to?",
    words=WORDS,
    columns=(
        Column("word", "Outcome", Shape.WORD),
        Column("kind", "Kind"),
        Column("source", "Source"),
        Column("measure", "Measure"),
        Column("expected", "Expected", Shape.NUMBER),
        Column("actual", "Actual", Shape.NUMBER),
        Column("difference", "Difference", Shape.NUMBER),
        Column("matched", "Matched", Shape.COUNT),
        Column("breaks", "Breaks", Shape.COUNT),
        Column("file", "File"),
        Column("compared_at", "Compared", Shape.MOMENT),
        Column("run", "Run", Shape.RUN),
    ),
    statement=STATEMENT,
    order="kind, source, measure <> 'records', measure, file, run",
    by=(DATE, BATCH),
    good=frozenset(["equal"]),
    totals=True,
)
