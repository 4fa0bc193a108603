"""Webhooks: what leaves the house goes where a second person said it may, and no further than the journal."""

from __future__ import annotations

from operations.fsck.check import Check, Level

_APPROVED = """
SELECT s.name AS subject, CASE WHEN r.id IS NULL THEN 'was approved by nobody' ELSE 'is not what was approved' END AS what
  FROM outbound_subscription s
  LEFT JOIN authorisation_authorisationrequest r ON r.id = s.authorisation_id AND r.kind = 'webhook' AND r.state = 'approved'
 WHERE r.id IS NULL
    OR (s.name, s.url, to_jsonb(s.user_id), s.kinds, s.desks) IS DISTINCT FROM
       (r.payload ->> 'name', r.payload ->> 'url', r.payload -> 'user_id', r.payload -> 'kinds', r.payload -> 'desks')
"""

_PLACES = """
SELECT s.name AS subject, format('has read to %s, and the journal ends at %s', s.position, j.position) AS what
  FROM outbound_subscription s CROSS JOIN (SELECT coalesce(max(position), 0) AS position FROM journal_event) j
 WHERE s.position > (SELECT last_value FROM journal_event_position_seq)
 UNION ALL
SELECT s.name, format('holds the event %s, which is not at %s', h.event_id, h.position)
  FROM outbound_helddelivery h JOIN outbound_subscription s ON s.id = h.subscription_id
  LEFT JOIN journal_event e ON e.position = h.position AND e.id = h.event_id WHERE e.id IS NULL
"""

CHECKS = (
    Check(
        "WEBHOOK_NOT_APPROVED", "I10", Level.EXCEPTIONS,
        "Every subscription is word for word what a second person approved.",
        "Pause it at once, then read the stream webhook:<id> and the request that it names.",
        sql=_APPROVED,
    ),
    Check(
        "WEBHOOK_PLACE_WRONG", "I6", Level.EXCEPTIONS,
        "No subscription has read past the journal, and what it holds are events of the journal.",
        "Pause it, set right what a restore left behind, and send again from the last event the receiver knows.",
        sql=_PLACES,
    ),
)  # fmt: skip
