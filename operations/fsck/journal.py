"""Level 1: the journal is whole. Streams without a gap, chains intact, heads where the owners say, cursors behind it."""

from __future__ import annotations

from operations.fsck.check import Check, Level
from operations.fsck.event_hashes import altered_events
from operations.fsck.seals import differing_seals

_GAPS = """
SELECT stream AS subject, format('has %s events numbered %s to %s', count(*), min(seq), max(seq)) AS what
  FROM journal_event GROUP BY stream HAVING min(seq) <> 1 OR max(seq) <> count(*)
"""

_LINKS = """
SELECT e.stream || ' event ' || e.seq AS subject, 'does not name the hash of the event before it' AS what
  FROM journal_event e LEFT JOIN journal_event p ON p.stream = e.stream AND p.seq = e.seq - 1
 WHERE e.prev_hash <> coalesce(p.hash, decode(repeat('00', 32), 'hex'))
"""

# One step down the index for each order, which gives number and hash at once: cheaper than hashing all events there are.
_ORDER_HEADS = """
SELECT o.ref AS subject, format('says its last event is %s; its journal has %s', o.last_event_seq,
       coalesce(l.seq::text, 'none')) AS what
  FROM orders_order o
  LEFT JOIN LATERAL (SELECT e.seq, e.hash FROM journal_event e WHERE e.stream = 'order:' || o.id
                      ORDER BY e.seq DESC LIMIT 1) l ON true
 WHERE o.last_event_seq IS DISTINCT FROM l.seq OR o.last_event_hash IS DISTINCT FROM l.hash
"""

_STREAM_HEADS = """
SELECT coalesce(h.stream, l.stream) AS subject,
       CASE WHEN h.stream IS NULL THEN 'has events and no head'
            ELSE format('says its last event is %s; its journal has %s', h.seq, coalesce(l.seq::text, 'none')) END AS what
  FROM journal_streamhead h
  FULL JOIN (SELECT stream, max(seq) AS seq FROM journal_event WHERE stream NOT LIKE 'order:%' GROUP BY stream) l
    ON l.stream = h.stream
  LEFT JOIN journal_event e ON e.stream = h.stream AND e.seq = h.seq
 WHERE coalesce(h.seq, 0) <> coalesce(l.seq, 0) OR h.stream IS NULL OR (h.seq > 0 AND h.hash IS DISTINCT FROM e.hash)
"""

_CURSORS = """
SELECT c.name AS subject, format('has read up to %s; the last position drawn is %s', c.position, s.last) AS what
  FROM journal_cursor c
  JOIN LATERAL (SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence(
       CASE WHEN c.name LIKE 'inbox:%' THEN 'venues_wiremessage' ELSE 'journal_event' END,
       CASE WHEN c.name LIKE 'inbox:%' THEN 'id' ELSE 'position' END)::regclass), 0) AS last) s ON true
 WHERE c.position > s.last
"""

_SNAPSHOTS = """
SELECT format('snapshot %s of %s', s.id, s.projection) AS subject, 'holds something else than what was stored' AS what
  FROM journal_snapshot s WHERE sha256(s.body) <> s.sha256
UNION ALL
SELECT format('snapshot %s of %s', s.id, s.projection), format('is of position %s; the journal ends at %s', s.position, e.last)
  FROM journal_snapshot s
 CROSS JOIN (SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('journal_event', 'position')::regclass), 0) AS last) e
 WHERE s.position > e.last
"""

CHECKS = (
    Check(
        "STREAM_HAS_GAP", "I5", Level.JOURNAL,
        "The events of a stream are numbered from 1 without a gap.",
        "An event was removed or never arrived: stop trading, compare with the last seal and the anchors, restore from backup.",
        sql=_GAPS,
    ),
    Check(
        "CHAIN_LINK_BROKEN", "I5", Level.JOURNAL,
        "Every event names the hash of the one before it.",
        "An event was rewritten: stop trading, compare with the last seal and the anchors, restore from backup.",
        sql=_LINKS,
    ),
    Check(
        "ORDER_HEAD_DIFFERS", "I5", Level.JOURNAL,
        "Every order names the last event of its journal, by number and hash.",
        "The row or its journal was changed outside the doors: ./oms replay --order shows which of the two is right.",
        sql=_ORDER_HEADS,
    ),
    Check(
        "STREAM_HEAD_DIFFERS", "I5", Level.JOURNAL,
        "Every other stream has a head that names its last event, by number and hash.",
        "The head or its journal was changed outside the doors: compare both with the last seal before anything is appended.",
        sql=_STREAM_HEADS,
    ),
    Check(
        "CURSOR_AHEAD", "I6", Level.JOURNAL,
        "No listener and no inbox has read further than anything was ever written.",
        "A restore has lost the end of the journal: what lies between is unworked once it is written again; set the cursor back.",
        sql=_CURSORS,
    ),
    Check(
        "SNAPSHOT_DIFFERS", "I7", Level.JOURNAL,
        "Every snapshot holds what was stored, of a position the journal has reached.",
        "A start from it would be wrong: delete its row (it is derived), the picture builds a new one from the journal.",
        sql=_SNAPSHOTS,
    ),
    Check(
        "EVENT_ALTERED", "I5", Level.JOURNAL,
        "Every event says what it said when it was written: its hash covers all of it.",
        "An event was edited: stop trading, compare with the last seal and the anchors, restore from backup.",
        look=altered_events, reads_all=True, apart=True,
    ),
    Check(
        "SEALS_DIFFER", "I5", Level.JOURNAL,
        "Every seal covers what it sealed, is signed by a key of the chain, and stands in every anchor file.",
        "The journal was rewritten or cut: stop trading; the anchors say since when; restore from a backup that agrees.",
        look=differing_seals, reads_all=True,
    ),
)  # fmt: skip
