"""What happened on each session lately, as circuit breakers count it: from the end of the messages and of the journal.

Bounded at both ends: no more than ``TAIL`` rows back from the newest, and none older than asked. So a look costs the same in
a quiet house and in a busy one; in one so busy that the tail is shorter than the window, marks are passed all the sooner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

import orjson

from journal.bulk import raw_cursor
from risk.domain.breakers import Happened, Seen
from venues.models import FixSession

TAIL = 4000
CONTRADICTIONS = ("CONTRADICTION", "ENDED_INSTEAD", "REJECTED_AFTER_TRADE", "UNKNOWN_KIND", "WRONG_PREDECESSOR")
"""Anomalies that say: what the venue told of an order does not fit what it told before."""

_WIRE = r"""
WITH tail AS MATERIALIZED (
     SELECT w.id, w.session, w.direction, w.msg_type, w.cl_ord_id, w.recorded_at,
            substring(w.raw FROM E'\x01150=([^\x01]*)\x01') AS exec_type
       FROM venues_wiremessage w
      WHERE w.id > (SELECT coalesce(max(id), 0) FROM venues_wiremessage) - %s AND w.recorded_at > %s AND NOT w.poss_dup
), answered AS (
     SELECT o.session, o.recorded_at AS sent_at, min(i.recorded_at) AS answered_at
       FROM tail o JOIN venues_fixsession s ON s.name = o.session AND s.state = 'logged_on' AND o.recorded_at >= s.state_at
       LEFT JOIN tail i ON i.direction = 'in' AND i.cl_ord_id = o.cl_ord_id AND i.id > o.id AND i.exec_type IS DISTINCT FROM 'I'
      WHERE o.direction = 'out' AND o.msg_type IN ('D', 'G')
      GROUP BY o.id, o.session, o.recorded_at
)
SELECT session, 'error', recorded_at, 0 FROM tail WHERE direction = 'in' AND msg_type IN ('3', 'j', 'A')
UNION ALL
SELECT session, CASE exec_type WHEN '8' THEN 'reject' ELSE 'answer' END, recorded_at, 0
  FROM tail WHERE direction = 'in' AND msg_type = '8' AND exec_type IN ('0', '5', '8')
UNION ALL
SELECT session, 'reject', recorded_at, 0 FROM tail WHERE direction = 'in' AND msg_type = '9'
UNION ALL
SELECT session, 'sent', sent_at, (extract(epoch FROM coalesce(answered_at, %s) - sent_at) * 1000)::bigint FROM answered
"""
_ANOMALIES = """
SELECT o.session_group, e.recorded_at
  FROM journal_event e
  LEFT JOIN orders_order o ON e.payload ->> 'subject_type' = 'order' AND o.id = (e.payload ->> 'subject_id')::uuid
 WHERE e.position > (SELECT coalesce(max(position), 0) FROM journal_event) - %s AND e.recorded_at > %s
   AND e.kind = 'AnomalyRaised' AND e.payload ->> 'kind' = ANY(%s::text[])
"""


def seen_on_sessions(*, since: datetime, at: datetime) -> Mapping[str, list[Seen]]:
    """By session name what happened after ``since``; a contradiction counts on every session of its order's group."""
    found: dict[str, list[Seen]] = defaultdict(list)
    with raw_cursor() as cursor:
        cursor.execute(_WIRE, [TAIL, since, at])
        for session, what, when, ms in cursor.fetchall():
            found[session].append(Seen(Happened(what), when, ms))
        cursor.execute(_ANOMALIES, [TAIL, since, list(CONTRADICTIONS)])
        contradictions = cursor.fetchall()
    if contradictions:
        groups: dict[str, list[str]] = defaultdict(list)
        for name, group in FixSession.objects.order_by("name").values_list("name", "group"):
            groups[group].append(name)
        for group, when in contradictions:
            for session in groups.get(group or "", ()):
                found[session].append(Seen(Happened.INCONSISTENT, when))
    return found


def answered_since(*, session: str, cl_ord_id: str, since: datetime) -> bool:
    """Whether the venue has said anything about the ClOrdID after a moment."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM venues_wiremessage WHERE cl_ord_id = %s AND cl_ord_id <> '' AND session = %s "
            "AND direction = 'in' AND recorded_at > %s)",
            [cl_ord_id, session, since],
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def find_probe(*, group: str) -> tuple[str, str, dict[str, object]] | None:
    """An order to ask the venue about: ClOrdID, the venue's id and message of the newest that was handed over in the group."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT i.cl_ord_id, coalesce(o.venue_order_id, ''), (i.payload -> 'message')::text "
            "  FROM venues_wireintent i JOIN orders_order o ON o.id = i.order_id "
            " WHERE i.id > (SELECT coalesce(max(id), 0) FROM venues_wireintent) - %s "
            "   AND i.session_group = %s AND i.kind = 'new' AND i.state = 'handed_over' ORDER BY i.id DESC LIMIT 1",
            [TAIL, group],
        )
        row = cursor.fetchone()
    return (row[0], row[1], orjson.loads(row[2])) if row else None
