"""Contract notes and the trade feed: no gaps, notes that are as recorded and tell what stands, a feed that is the allocations."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from allocations.printing.render_note import VERSIONS, facts_digest, render_note
from kernel.canonical import sha256
from operations.fsck.check import Check, Found, Level
from operations.fsck.snapshot import AT, Snapshot

RENDERED = 20

_NUMBERS = """
SELECT s.code AS subject, format('has given %s, holds %s of them and the highest is %s', s.last_number, n.held, n.highest) AS what
  FROM allocations_noteseries s CROSS JOIN LATERAL (
    SELECT count(*) AS held, coalesce(max(x.number), 0) AS highest FROM (
      SELECT number FROM allocations_contractnote WHERE series_id = s.code
       UNION ALL SELECT position FROM allocations_feedentry WHERE s.code = 'trade-feed') x) n
 WHERE (n.held, n.highest) IS DISTINCT FROM (s.last_number, s.last_number)
"""

# What a note tells of against what stands. A trade undone while its listener was not there yet, or whose note is marked, is on its way.
_TELLS = """
WITH heard AS (SELECT coalesce(max(position), 0) AS position FROM journal_cursor WHERE name = 'allocations.notes'),
live AS (SELECT * FROM allocations_contractnote WHERE state = 'issued' AND cancels_id IS NULL),
told AS (SELECT t.contractnote_id, t.allocation_id, a.number, a.state, a.qty, a.gross, a.fees, a.net, a.ended_event_id
           FROM allocations_contractnote_allocations t JOIN allocations_allocation a ON a.id = t.allocation_id)
SELECT n.series_id || '-' || lpad(n.number::text, greatest(6, length(n.number::text)), '0') AS subject, w.what
  FROM allocations_contractnote n CROSS JOIN LATERAL (
    SELECT format('tells of A-%s, which was undone', d.number) AS what
      FROM told d JOIN journal_event e ON e.id = d.ended_event_id, heard
     WHERE d.contractnote_id = n.id AND d.state = 'reversed' AND n.stale_at IS NULL AND e.position <= heard.position
       AND n.state = 'issued' AND n.cancels_id IS NULL
     UNION ALL
    SELECT format('tells of A-%s with other figures than it has', d.number) FROM told d
     WHERE d.contractnote_id = n.id AND d.state <> 'reversed' AND n.state = 'issued' AND n.cancels_id IS NULL AND NOT EXISTS (
           SELECT FROM jsonb_array_elements(n.facts -> 'trades') f
            WHERE f ->> 'ref' = 'A-' || d.number AND (f ->> 'qty')::numeric = d.qty AND (f ->> 'gross')::numeric = abs(d.gross)
              AND (f ->> 'fees')::numeric = d.fees AND (f ->> 'net')::numeric = abs(d.net))
     UNION ALL
    SELECT format('tells of %s trades and is linked with %s', jsonb_array_length(n.facts -> 'trades'), count(*)) FROM told d
     WHERE d.contractnote_id = n.id HAVING count(*) <> jsonb_array_length(n.facts -> 'trades')
     UNION ALL
    SELECT 'is canceled and nothing cancels or replaces it' WHERE n.state = 'canceled' AND NOT EXISTS (
           SELECT FROM allocations_contractnote o WHERE o.replaces_id = n.id OR o.cancels_id = n.id)
     UNION ALL
    SELECT 'stands beside what cancels or replaces it' WHERE n.state = 'issued' AND EXISTS (
           SELECT FROM allocations_contractnote o WHERE o.replaces_id = n.id OR o.cancels_id = n.id)) w
 UNION ALL
SELECT 'A-' || a.number, 'is on several notes that stand'
  FROM told a JOIN live ON live.id = a.contractnote_id GROUP BY a.number HAVING count(*) > 1
"""

_UNNOTED = f"""
SELECT 'A-' || a.number AS subject, 'stands since more than a week and no note tells of it' AS what
  FROM allocations_allocation a JOIN allocations_block b ON b.id = a.block_id JOIN refdata_listing l ON l.id = b.listing_id
 WHERE a.state IN ('booked', 'compensated') AND NOT a.is_rounding AND a.trade_date < {AT}::date - 7
   AND NOT EXISTS (SELECT FROM allocations_washaccount w
                    WHERE a.account_id IN (w.account_id, w.rounding_account_id, w.error_account_id))
   AND NOT EXISTS (SELECT FROM accounts_suspenseaccount s WHERE s.account_id = a.account_id)
   AND NOT EXISTS (SELECT FROM accounts_canaryaccount c WHERE c.account_id = a.account_id)
   AND NOT EXISTS (SELECT FROM allocations_contractnote_allocations t JOIN allocations_contractnote n ON n.id = t.contractnote_id
                    WHERE t.allocation_id = a.id AND n.state = 'issued' AND n.cancels_id IS NULL)
   AND NOT EXISTS (SELECT FROM journal_event e WHERE e.kind = 'AnomalyRaised' AND e.stream IN (
           format('anomaly:note-late:%s:%s', l.market_id, a.trade_date), format('anomaly:note-regime:%s', l.market_id)))
"""

# What a reader of the feed has against the allocations that stood where its listener is.
_FEED = """
WITH heard AS (SELECT coalesce(max(position), 0) AS position FROM journal_cursor WHERE name = 'allocations.feed'),
newest AS (SELECT DISTINCT ON (trade_ref) trade_ref, allocation_id, what, payload FROM allocations_feedentry
            ORDER BY trade_ref, version DESC),
kept AS (SELECT * FROM newest WHERE what <> 'cancel'),
standing AS (
  SELECT a.* FROM allocations_allocation a JOIN journal_event b ON b.id = a.booked_event_id
    LEFT JOIN journal_event e ON e.id = a.ended_event_id CROSS JOIN heard
   WHERE b.position <= heard.position AND (a.state <> 'reversed' OR e.position > heard.position))
SELECT coalesce(k.trade_ref, 'A-' || s.number) AS subject,
       CASE WHEN k.allocation_id IS NULL THEN 'stands and the feed does not tell it'
            WHEN s.id IS NULL THEN 'is told by the feed and does not stand'
            ELSE format('is %s, %s, %s in the feed and %s, %s, %s in the books', k.payload ->> 'qty', k.payload ->> 'gross',
                        k.payload ->> 'fees', s.qty, s.gross, s.fees) END AS what
  FROM kept k FULL JOIN standing s ON s.id = k.allocation_id
 WHERE k.allocation_id IS NULL OR s.id IS NULL
    OR ((k.payload ->> 'qty')::numeric, (k.payload ->> 'gross')::numeric) IS DISTINCT FROM (s.qty, s.gross)
    OR ((k.payload ->> 'fees')::numeric IS DISTINCT FROM s.fees AND k.payload ->> 'state' = s.state)
 UNION ALL
SELECT trade_ref, format('has %s lines and its last version is %s', count(*), max(version)) FROM allocations_feedentry
 GROUP BY trade_ref HAVING count(*) <> max(version)
"""

_FACTS = """
SELECT id::text, series_id || '-' || number, facts::text, facts_sha256, pdf_sha256, template_version
  FROM allocations_contractnote ORDER BY issued_at DESC, number DESC
"""


def _recorded(snapshot: Snapshot) -> Iterator[Found]:
    """Every note's facts against their digest; of the newest, the page as well."""
    for place, (_, ref, facts, facts_sha256, pdf_sha256, version) in enumerate(snapshot.stream(_FACTS)):
        body = orjson.loads(facts)
        if facts_digest(body) != bytes(facts_sha256):
            yield Found(ref, "has other facts than those that were recorded")
        elif version not in VERSIONS:
            yield Found(ref, f"was printed on a page of version {version}, which this build does not have")
        elif place < RENDERED and sha256(render_note(body, version)) != bytes(pdf_sha256):
            yield Found(ref, "would be printed otherwise than it was recorded")


CHECKS = (
    Check(
        "NOTE_NUMBERS_GAP", "I5", Level.MONEY,
        "Numbers of contract notes and positions of the trade feed have no gap, and each series knows its last.",
        "Issue nothing until it is known what is missing: the stream notes:<series> or trade-feed of the journal names each.",
        sql=_NUMBERS,
    ),
    Check(
        "NOTE_TELLS_OTHERWISE", "I3", Level.MONEY,
        "A note that stands tells of trades that stand, of each once, with their figures; one that does not was canceled or replaced.",
        "Issue another in its place on /notes; look why the note was not stale (R-27).",
        sql=_TELLS, reads_all=True,
    ),
    Check(
        "TRADE_NOT_NOTED", "I10", Level.EXCEPTIONS,
        "Every client's trade older than a week is on a contract note, or it was told that it is late or its market's rules are unknown.",
        "Issue it on /notes; see whether the task allocations.issue_notes runs (R-27).",
        sql=_UNNOTED, reads_all=True,
    ),
    Check(
        "NOTE_NOT_AS_RECORDED", "I5", Level.EXCEPTIONS,
        "A note's facts are those whose digest was recorded, and the newest are printed byte for byte as they were.",
        "Do not send it again. Compare build and typeface with those of its day, and the note with its event (R-27).",
        look=_recorded, reads_all=True,
    ),
    Check(
        "FEED_DIFFERS", "I7", Level.EXCEPTIONS,
        "The newest lines of the trade feed, without the canceled, are exactly the allocations that stand, with their figures.",
        "Look at what the listener allocations.feed set aside; readers go on, and get what is missing as further lines.",
        sql=_FEED, reads_all=True,
    ),
)  # fmt: skip
