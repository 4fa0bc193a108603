"""Level 5: nothing anomalous is silent. Every anomaly is an item somebody owns, and backlogs drain."""

from __future__ import annotations

from operations.fsck.check import Check, Level
from operations.fsck.snapshot import AT
from venues.domain.inbox import UNWORKED

_OPEN = "('unreviewed', 'under_review', 'snoozed', 'waiting')"
_CURSOR = "(SELECT coalesce(max(position), 0) FROM journal_cursor WHERE name = 'operations.exceptions')"

# An item keeps the ids of its first event and of its latest 200; those in between are behind its count.
_UNSEEN = f"""
SELECT e.payload ->> 'dedupe_key' AS subject, format('%s was raised at %s and no item keeps it', e.payload ->> 'kind',
       e.recorded_at) AS what
  FROM journal_event e
 WHERE e.stream LIKE 'anomaly:%' AND e.kind = 'AnomalyRaised' AND e.position <= {_CURSOR}
   AND NOT EXISTS (SELECT FROM operations_exceptionitem i WHERE i.dedupe_key = e.payload ->> 'dedupe_key'
                      AND (i.first_event_id = e.id OR i.sources ? e.id::text OR jsonb_array_length(i.sources) >= 200))
   AND NOT EXISTS (SELECT FROM journal_setaside s WHERE s.source = 'operations.exceptions' AND s.position = e.position::text)
"""

_WAITING = f"""
SELECT e.payload ->> 'dedupe_key' AS subject, format('%s was raised at %s and is no item yet', e.payload ->> 'kind',
       e.recorded_at) AS what
  FROM journal_event e
 WHERE e.stream LIKE 'anomaly:%' AND e.kind = 'AnomalyRaised' AND e.position > {_CURSOR} AND e.recorded_at < {AT} - interval '60 seconds'
"""

# A matter that stands may have no open item when a person ended its latest one after it was raised.
_LAST_WORD = f"""
WITH last AS (
     SELECT DISTINCT ON (stream) stream, kind, payload ->> 'dedupe_key' AS dedupe_key
       FROM journal_event WHERE stream LIKE 'anomaly:%' AND kind IN ('AnomalyRaised', 'AnomalyCleared') AND position <= {_CURSOR}
      ORDER BY stream, seq DESC
), latest AS (
     SELECT DISTINCT ON (dedupe_key) dedupe_key, state FROM operations_exceptionitem ORDER BY dedupe_key, id DESC
)
SELECT l.dedupe_key AS subject, CASE WHEN l.kind = 'AnomalyCleared' THEN 'is settled and its item is still open'
       ELSE 'is not settled and has no open item' END AS what
  FROM last l
  LEFT JOIN operations_exceptionitem i ON i.dedupe_key = l.dedupe_key AND i.state IN {_OPEN}
  LEFT JOIN latest n ON n.dedupe_key = l.dedupe_key
 WHERE (i.id IS NOT NULL) <> (l.kind = 'AnomalyRaised')
   AND NOT (l.kind = 'AnomalyRaised' AND coalesce(n.state IN ('closed', 'force_closed'), false))
"""

# What a person ended must say who, why, and for what stands a second person; and its own stream must say it too.
_ENDED = """
SELECT i.dedupe_key AS subject, format('was ended as %s and its history does not say who and why', i.state) AS what
  FROM operations_exceptionitem i
 WHERE i.state IN ('closed', 'force_closed')
   AND (i.ended_by_id IS NULL OR i.closing_sentence = '' OR NOT EXISTS (SELECT FROM journal_event e
        WHERE e.stream = 'exception:' || i.id AND e.kind = CASE i.state WHEN 'closed' THEN 'ExceptionClosed' ELSE 'ExceptionForceClosed' END
          AND e.payload ->> 'ended_by' = i.ended_by_id::text))
"""

# Time moves items by the sweeper alone: one that is due and stands still is nobody's alarm any more.
_STILL = f"""
SELECT i.dedupe_key AS subject, format('should have moved at %s', i.next_at) AS what
  FROM operations_exceptionitem i
 WHERE i.state IN {_OPEN} AND i.next_at < {AT} - interval '300 seconds'
   AND EXISTS (SELECT FROM journal_cursor o WHERE o.updated_at > {AT} - interval '60 seconds')
"""

_OWNERLESS = f"""
SELECT i.dedupe_key AS subject, 'is open and nobody owns it' AS what
  FROM operations_exceptionitem i WHERE i.state IN {_OPEN} AND i.owner_id IS NULL AND i.owner_group = ''
"""

_BASELESS = """
SELECT i.dedupe_key AS subject, format('names an event %s that does not exist', i.first_event_id) AS what
  FROM operations_exceptionitem i LEFT JOIN journal_event e ON e.id = i.first_event_id WHERE e.id IS NULL
"""

_OPEN_MATTERS = """
SELECT DISTINCT ON (stream) payload ->> 'dedupe_key' AS dedupe_key, kind
  FROM journal_event WHERE stream LIKE 'anomaly:%' AND kind IN ('AnomalyRaised', 'AnomalyCleared') ORDER BY stream, seq DESC
"""

# What must have raised an anomaly, with the key it is raised under.
_UNTOLD = f"""
WITH last AS ({_OPEN_MATTERS}), matters(subject, what, dedupe_key) AS (
     SELECT r.cl_ord_id, 'is unknown', format('order:%s:UNKNOWN:%s', r.order_id, r.cl_ord_id)
       FROM orders_orderrequest r WHERE r.state = 'unknown'
     UNION ALL
     SELECT coalesce(nullif(s.cl_ord_id, ''), s.order_id::text), 'stands still',
            format('order:%s:STUCK:%s:%s', s.order_id, coalesce(nullif(s.cl_ord_id, ''), 'order'), s.state)
       FROM orders_stuckmark s WHERE s.moved_at IS NULL
     UNION ALL
     SELECT o.ref, 'is over-filled', format('order:%s:OVERFILL', o.id) FROM orders_order o
      WHERE o.cum_qty > o.order_qty + o.accepted_excess
     UNION ALL
     SELECT coalesce(nullif(d.cl_ord_id, ''), d.venue_order_id), 'differs from the venue',
            format('difference:%s:%s', d.session, coalesce(d.order_id::text, d.venue_order_id))
       FROM venues_recoverydifference d WHERE d.resolved_at IS NULL
     UNION ALL
     SELECT u.name, 'is none of ours', format('unknown-order:%s:%s', u.session, u.name)
       FROM orders_unknownorder u WHERE u.closed_at IS NULL
     UNION ALL
     SELECT a.code, 'is overdrawn in ' || c.currency, format('overdrawn:%s:%s', c.account_id, c.currency)
       FROM accounts_cashbalance c JOIN accounts_tradingaccount a ON a.id = c.account_id
      WHERE c.overdrawn_by_event IS NOT NULL AND NOT EXISTS (SELECT FROM accounts_suspenseaccount s WHERE s.account_id = a.id)
     UNION ALL
     SELECT a.code, 'is overdrawn in ' || h.instrument_id, format('overdrawn:%s:%s', h.account_id, h.instrument_id)
       FROM accounts_holding h JOIN accounts_tradingaccount a ON a.id = h.account_id
      WHERE h.overdrawn_by_event IS NOT NULL AND NOT EXISTS (SELECT FROM accounts_suspenseaccount s WHERE s.account_id = a.id)
     UNION ALL
     SELECT s.name, 'gave up events', format('webhook:%s:WEBHOOK_DEAD_LETTERS', s.id) FROM outbound_subscription s
      WHERE s.state <> 'ended' AND EXISTS (SELECT FROM outbound_helddelivery h WHERE h.subscription_id = s.id AND h.state = 'dead')
)
SELECT m.subject, m.what || ' and no open anomaly says so' AS what
  FROM matters m LEFT JOIN last l ON l.dedupe_key = m.dedupe_key WHERE l.kind IS DISTINCT FROM 'AnomalyRaised'
"""

_SET_ASIDE = """
SELECT s.source || ' ' || s.position AS subject, 'was set aside and nobody was told' AS what
  FROM journal_setaside s
 WHERE s.payload -> 'payload' ->> 'kind' IS DISTINCT FROM 'EVENT_SET_ASIDE'
   AND NOT EXISTS (SELECT FROM journal_event e WHERE e.kind = 'AnomalyRaised' AND e.stream IN (
       'anomaly:' || s.source || ':' || s.position, 'anomaly:set-aside:' || s.source || ':' || s.position))
"""

# A backlog counts as stuck only where its worker's own work shows that the house runs.
_STUCK = f"""
SELECT 'inbox of ' || s.name AS subject, format('has messages since %s that nobody worked', min(w.recorded_at)) AS what
  FROM {UNWORKED}
 WHERE s.last_in_at > {AT} - interval '60 seconds' AND w.recorded_at < {AT} - interval '300 seconds'
 GROUP BY s.name
UNION ALL
SELECT 'listener ' || c.name, format('has not moved since %s', c.updated_at)
  FROM journal_cursor c
 WHERE c.name NOT LIKE 'inbox:%' AND c.updated_at < {AT} - interval '300 seconds'
   AND EXISTS (SELECT FROM journal_cursor o WHERE o.updated_at > {AT} - interval '60 seconds')
   AND (SELECT count(*) FROM (SELECT FROM journal_event e WHERE e.position > c.position
                                 AND e.recorded_at < {AT} - interval '300 seconds' LIMIT 2000) AS behind) >= 2000
"""

_ITEMS = "See the log of the relay and its cursor operations.exceptions (./oms status)"

CHECKS = (
    Check(
        "ANOMALY_UNSEEN", "I10", Level.EXCEPTIONS,
        "Every anomaly the listener has passed is kept by an item.",
        f"{_ITEMS}; until it is mended the page of exceptions is not complete: read the journal's AnomalyRaised.",
        sql=_UNSEEN,
    ),
    Check(
        "ANOMALY_WAITING", "I10", Level.EXCEPTIONS,
        "Every anomaly becomes an item within 60 seconds.",
        f"{_ITEMS}; it is behind or does not run.",
        sql=_WAITING,
    ),
    Check(
        "ITEM_STATE_DIFFERS", "I10", Level.EXCEPTIONS,
        "An item is open exactly as long as its matter is not settled, unless a person ended it.",
        f"{_ITEMS}; decide by the matter, not by the item.",
        sql=_LAST_WORD,
    ),
    Check(
        "ITEM_ENDED_SILENTLY", "I10", Level.EXCEPTIONS,
        "Every item that a person ended says who and why, in the row and in its own stream.",
        "See exception:<id> in the audit; an item written past its services has no such event.",
        sql=_ENDED,
    ),
    Check(
        "ITEM_STANDS_STILL", "I10", Level.EXCEPTIONS,
        "Every item whose time is up escalates or wakes within 300 seconds while the house runs.",
        "See the sweeper operations.services.watch_exceptions in the log of the relay.",
        sql=_STILL,
    ),
    Check(
        "ITEM_UNOWNED", "I10", Level.EXCEPTIONS,
        "Every open item has an owner or a group that owns it.",
        "Give it to the operations group, and find out who took it away.",
        sql=_OWNERLESS,
    ),
    Check(
        "ITEM_BASELESS", "I10", Level.EXCEPTIONS,
        "Every item names the event it began with.",
        "The item was written past the listener or the event is lost: see STREAM_HAS_GAP.",
        sql=_BASELESS,
    ),
    Check(
        "MATTER_UNTOLD", "I10", Level.EXCEPTIONS,
        "Every unknown request, unknown order, overdrawn balance, subscription that gave up events, and order that stands still, is "
        "over-filled or differs from the venue has an anomaly that is not settled.",
        "Look at the subject now: nobody was told of it.",
        sql=_UNTOLD,
    ),
    Check(
        "SET_ASIDE_UNTOLD", "I10", Level.EXCEPTIONS,
        "Everything that could not be worked and was set aside has an anomaly.",
        "Look at the row of journal_setaside: its effect is missing and nobody was told.",
        sql=_SET_ASIDE,
    ),
    Check(
        "BACKLOG_STUCK", "I9", Level.EXCEPTIONS,
        "No inbox and no listener stands still while the house runs (grace 300 s).",
        "See the log of inbox and relay (./oms status); what they have not worked has had no effect.",
        sql=_STUCK,
    ),
)  # fmt: skip
