"""Reconciliation: runs count what they found, breaks have their story, and the files they speak of are still what they were."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from operations.fsck.check import Check, Found, Level
from operations.fsck.snapshot import Snapshot
from reconciliation.kept_files import CHUNK, kept_path

_FIGURES = """
SELECT r.id::text AS subject,
       format('says %s new, %s standing, %s closed, and has seen %s, %s, %s', r.written, r.standing, r.closed,
              coalesce(s.new, 0), coalesce(s.standing, 0), coalesce(s.closed, 0)) AS what
  FROM reconciliation_run r
  LEFT JOIN (SELECT run_id, count(*) FILTER (WHERE word = 'new') AS new, count(*) FILTER (WHERE word = 'standing') AS standing,
                    count(*) FILTER (WHERE word = 'closed') AS closed
               FROM reconciliation_runbreak GROUP BY run_id) s ON s.run_id = r.id
 WHERE (r.state IN ('done', 'suspect') AND (r.written, r.standing, r.closed) IS DISTINCT FROM
        (coalesce(s.new, 0), coalesce(s.standing, 0), coalesce(s.closed, 0)))
    OR (r.state = 'suspect' AND (r.closed <> 0 OR r.sentence = ''))
"""

# What one run saw of a break: its first run as new, its latest in some word; what agrees now was closed by a run that ended.
_STORY = """
SELECT 'BRK-' || lpad(b.number::text, greatest(6, length(b.number::text)), '0') AS subject, w.what
  FROM reconciliation_break b CROSS JOIN LATERAL (
    SELECT 'was found by a run that does not have it as new' AS what
     WHERE NOT EXISTS (SELECT FROM reconciliation_runbreak s WHERE s.item_id = b.id AND s.run_id = b.first_run_id AND s.word = 'new')
     UNION ALL
    SELECT 'was last seen by a run that has not seen it'
     WHERE NOT EXISTS (SELECT FROM reconciliation_runbreak s WHERE s.item_id = b.id AND s.run_id = b.last_run_id)
     UNION ALL
    SELECT 'is closed as agreed and no run closed it'
     WHERE b.closed_as = 'agreed' AND NOT EXISTS (SELECT FROM reconciliation_runbreak s WHERE s.item_id = b.id AND s.word = 'closed')
     UNION ALL
    SELECT 'says nothing of why it is there' WHERE b.why = ''
     UNION ALL
    SELECT format('comes back for the %s. time, and there is no break before it', b.recurrence)
     WHERE b.recurrence > 1 AND NOT EXISTS (
           SELECT FROM reconciliation_break o WHERE o.key = b.key AND o.recurrence = b.recurrence - 1 AND o.state = 'closed')) w
"""

# One anomaly a break, raised while it is open. A doubted run tells of its file alone, and a run under way is not done telling.
_TOLD = """
WITH last AS (
     SELECT DISTINCT ON (stream) stream, kind FROM journal_event
      WHERE stream LIKE 'anomaly:break:%' AND kind IN ('AnomalyRaised', 'AnomalyCleared') ORDER BY stream, seq DESC
)
SELECT 'BRK-' || lpad(b.number::text, greatest(6, length(b.number::text)), '0') AS subject,
       CASE WHEN b.state = 'closed' THEN 'is closed and its anomaly is still raised'
            ELSE 'is open and no anomaly says so: nobody owns it' END AS what
  FROM reconciliation_break b JOIN reconciliation_run r ON r.id = b.last_run_id
  LEFT JOIN last l ON l.stream = 'anomaly:break:' || b.key
 WHERE r.state NOT IN ('waiting', 'running')
   AND CASE WHEN b.state = 'closed'
            THEN l.kind = 'AnomalyRaised' AND NOT EXISTS (
                 SELECT FROM reconciliation_break o WHERE o.key = b.key AND o.recurrence > b.recurrence)
            ELSE l.kind IS DISTINCT FROM 'AnomalyRaised' AND EXISTS (
                 SELECT FROM reconciliation_runbreak s JOIN reconciliation_run d ON d.id = s.run_id
                  WHERE s.item_id = b.id AND d.state = 'done') END
"""

_FILES = "SELECT DISTINCT sha256, size FROM reconciliation_feedfile"


def _kept(snapshot: Snapshot) -> Iterator[Found]:
    """Every file that came, read whole again."""
    for sha256, size in snapshot.stream(_FILES):
        digest, length = hashlib.sha256(), 0
        try:
            with kept_path(sha256).open("rb") as content:
                while chunk := content.read(CHUNK):
                    digest.update(chunk)
                    length += len(chunk)
        except FileNotFoundError:
            yield Found(sha256, "is not kept any more")
            continue
        if digest.hexdigest() != sha256 or length != size:
            yield Found(sha256, "is kept with other bytes than those that came")


CHECKS = (
    Check(
        "RUN_FIGURES_DIFFER", "I10", Level.EXCEPTIONS,
        "What a run says it found new, standing and agreed is what it has seen; a doubted run closed nothing and says why.",
        "Run the same file again: it comes to the same breaks; compare its figures with those of the run that differs.",
        sql=_FIGURES,
    ),
    Check(
        "BREAK_STORY_DIFFERS", "I10", Level.EXCEPTIONS,
        "Every break was found by a run that has it as new, and what is closed as agreed was closed by a run.",
        "Read its runs on /recon and the run's event; a restore may have left one of them behind.",
        sql=_STORY,
    ),
    Check(
        "BREAK_TOLD_WRONG", "I10", Level.EXCEPTIONS,
        "Every open break that a sound run has seen is raised as an anomaly, and none that is closed still is.",
        "Run the same file again: it tells what was not told. Until then look at the break on its own page.",
        sql=_TOLD,
    ),
    Check(
        "FEED_FILE_DIFFERS", "I5", Level.EXCEPTIONS,
        "Every file that came is kept byte for byte under its digest.",
        "Ask the sender for the file again and put it under the same digest; never edit one. What was booked from it stands.",
        look=_kept, reads_all=True,
    ),
)  # fmt: skip
