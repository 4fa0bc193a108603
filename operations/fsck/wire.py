"""Level 4: what left the house left once, because it was released, and is what the venue was told."""

from __future__ import annotations

from operations.fsck.bodies import differing_bodies
from operations.fsck.check import Check, Level
from operations.fsck.snapshot import AT

_TWICE = """
SELECT cl_ord_id AS subject, format('left %s times as 35=%s', count(*), msg_type) AS what
  FROM venues_wiremessage
 WHERE direction = 'out' AND msg_type IN ('D', 'F', 'G') GROUP BY cl_ord_id, msg_type HAVING count(*) > 1
"""

_UNPROVEN = """
SELECT w.cl_ord_id AS subject, format('left as 35=%s (message %s) and was never handed over', w.msg_type, w.id) AS what
  FROM venues_wiremessage w LEFT JOIN venues_handover h ON h.cl_ord_id = w.cl_ord_id
 WHERE w.direction = 'out' AND w.msg_type IN ('D', 'F', 'G') AND h.cl_ord_id IS NULL
"""

_UNRELEASED = """
SELECT h.cl_ord_id AS subject, CASE WHEN i.id IS NULL THEN 'was handed over without an intent'
       WHEN i.cl_ord_id <> h.cl_ord_id OR i.state <> 'handed_over'
            THEN format('was handed over; its intent is %s, for %s', i.state, i.cl_ord_id)
       WHEN r.id IS NULL THEN 'was handed over and nobody asked for it'
       WHEN r.released_at IS NULL OR r.handed_over_at IS NULL OR r.released_at > r.handed_over_at
            THEN format('was handed over; its request is %s and was not released before', r.state)
       ELSE format('was handed over; its request is %s', r.state) END AS what
  FROM venues_handover h
  LEFT JOIN venues_wireintent i ON i.id = h.intent_id
  LEFT JOIN orders_orderrequest r ON r.id = i.request_id AND r.cl_ord_id = h.cl_ord_id
 WHERE i.state <> 'handed_over' OR i.cl_ord_id <> h.cl_ord_id OR (i.kind IS DISTINCT FROM 'dk' AND (
       r.id IS NULL OR r.released_at IS NULL OR r.handed_over_at IS NULL OR r.released_at > r.handed_over_at
       OR r.state NOT IN ('handed_over', 'unknown', 'accepted', 'rejected', 'refused')))
"""

_UNMARKED = """
SELECT r.cl_ord_id AS subject, format('is %s and no hand-over proves that it was given to the engine', r.state) AS what
  FROM orders_orderrequest r LEFT JOIN venues_handover h ON h.cl_ord_id = r.cl_ord_id
 WHERE r.handed_over_at IS NOT NULL AND h.cl_ord_id IS NULL
UNION ALL
SELECT i.cl_ord_id, 'has an intent marked as handed over and no hand-over'
  FROM venues_wireintent i LEFT JOIN venues_handover h ON h.intent_id = i.id
 WHERE i.state = 'handed_over' AND h.cl_ord_id IS NULL
"""

# The listener's cursor and its effect commit together, so behind the cursor nothing may be missing.
_UNROUTED = """
SELECT r.cl_ord_id AS subject, 'was released, routing has passed it, and nothing waits to be sent' AS what
  FROM orders_orderrequest r
  JOIN journal_event e ON e.stream = 'order:' || r.order_id AND e.payload ->> 'request_id' = r.id::text
   AND e.kind IN ('OrderReleased', 'ReplaceReleased', 'CancelReleased')
  JOIN journal_cursor c ON c.name = 'venues.route' AND c.position >= e.position
 WHERE r.state = 'released' AND NOT EXISTS (SELECT FROM venues_wireintent i WHERE i.request_id = r.id)
"""

_LATE = f"""
SELECT i.cl_ord_id AS subject,
       format('waits for group %s since %s and was of use until %s', i.session_group, i.created_at, i.not_after) AS what
  FROM venues_wireintent i WHERE i.state = 'waiting' AND i.not_after < {AT} - interval '60 seconds'
"""

_STRANDED = f"""
SELECT i.cl_ord_id AS subject, format('waits to be sent; its request is %s since %s', r.state, r.answered_at) AS what
  FROM venues_wireintent i JOIN orders_orderrequest r ON r.id = i.request_id
 WHERE i.state = 'waiting' AND r.state NOT IN ('released')
   AND coalesce(r.answered_at, r.handed_over_at, r.captured_at) < {AT} - interval '60 seconds'
   AND EXISTS (SELECT FROM venues_fixsession s WHERE s."group" = i.session_group AND s.state = 'logged_on'
                  AND s.state_at < {AT} - interval '60 seconds' AND s.last_in_at > {AT} - interval '60 seconds')
"""

_SILENT = f"""
SELECT r.cl_ord_id AS subject, format('was handed over at %s and is neither answered nor unknown', r.handed_over_at) AS what
  FROM orders_orderrequest r JOIN orders_order o ON o.id = r.order_id
 WHERE r.state = 'handed_over' AND r.handed_over_at < {AT} - interval '120 seconds'
   AND EXISTS (SELECT FROM venues_fixsession s WHERE s."group" = o.session_group AND s.state = 'logged_on'
                  AND s.state_at < {AT} - interval '120 seconds' AND s.last_in_at > {AT} - interval '60 seconds')
"""

_UNASKED = """
SELECT coalesce(r.cl_ord_id, i.cl_ord_id) AS subject, CASE WHEN i.request_id IS NULL THEN 'is unknown and the venue is not asked for it'
       ELSE 'is asked for and is no request of ours' END AS what
  FROM (SELECT id, cl_ord_id FROM orders_orderrequest WHERE state = 'unknown') r
  FULL JOIN (SELECT request_id, cl_ord_id FROM venues_inquiry WHERE state = 'open') i ON i.request_id = r.id
 WHERE i.request_id IS NULL OR (r.id IS NULL AND NOT EXISTS (SELECT FROM orders_orderrequest p WHERE p.id = i.request_id))
"""

_HALTED = """
SELECT h.cl_ord_id AS subject, format('left at %s although %s stopped it from %s to %s', h.handed_over_at, b.source,
       b.imposed_at, coalesce(b.lifted_at::text, 'now')) AS what
  FROM risk_block b
  JOIN venues_handover h ON h.handed_over_at > b.imposed_at + interval '5 seconds'
   AND h.handed_over_at < coalesce(b.lifted_at, 'infinity')
  JOIN venues_wireintent i ON i.id = h.intent_id AND i.adds_risk
  JOIN orders_order o ON o.id = i.order_id
 WHERE CASE b.scope WHEN 'firm' THEN true WHEN 'account' THEN b.scope_id = o.account_id::text
            WHEN 'desk' THEN b.scope_id = o.desk_id::text WHEN 'dealer' THEN b.scope_id = o.owner_id::text
            WHEN 'instrument' THEN b.scope_id = o.instrument_snapshot ->> 'instrument_id'
            WHEN 'venue' THEN b.scope_id = o.instrument_snapshot ->> 'mic' WHEN 'strategy' THEN b.scope_id = o.strategy
            WHEN 'client' THEN b.scope_id = (SELECT a.client_id::text FROM accounts_tradingaccount a WHERE a.id = o.account_id)
            ELSE false END
"""

_RECOVERING = """
SELECT h.cl_ord_id AS subject, format('left on %s at %s, while the house and its venue were being compared since %s', h.session,
       h.handed_over_at, r.started_at) AS what
  FROM venues_recovery r
  JOIN venues_handover h ON h.session = r.session AND h.handed_over_at > r.started_at + interval '1 second'
   AND h.handed_over_at < least(coalesce(r.opened_at, 'infinity'), coalesce(r.finished_at, 'infinity'))
  JOIN venues_wireintent i ON i.id = h.intent_id AND i.adds_risk
"""

_UNGATED = """
SELECT a.code AS subject, format('may take new risk although order %s differs from the venue', d.order_id) AS what
  FROM venues_recoverydifference d
  JOIN venues_recovery r ON r.id = d.recovery_id
  JOIN accounts_tradingaccount a ON a.id = d.account_id
 WHERE d.resolved_at IS NULL AND NOT EXISTS (
       SELECT FROM risk_block b WHERE b.lifted_at IS NULL AND b.scope = 'account' AND b.scope_id = d.account_id::text
          AND b.source = 'recovery:' || r.session_group)
"""

_MESSAGES = """
SELECT 'execution ' || x.exec_id || ' of ' || x.order_id AS subject,
       format('came with message %s, which is %s', x.wire_message_id, CASE WHEN w.id IS NULL THEN 'not there'
              ELSE format('%s %s number %s', w.direction, w.epoch, w.msg_seq_num) END) AS what
  FROM orders_execution x LEFT JOIN venues_wiremessage w ON w.id = x.wire_message_id
 WHERE x.wire_message_id IS NOT NULL AND (w.id IS NULL OR w.direction <> 'in' OR w.msg_seq_num <> x.msg_seq_num)
"""

_READ = """
SELECT c.name AS subject, format('has worked up to message %s; the last one of the session is %s', c.position,
       coalesce(w.last, 0)) AS what
  FROM journal_cursor c
  LEFT JOIN (SELECT session, max(id) AS last FROM venues_wiremessage WHERE direction = 'in' GROUP BY session) w
    ON w.session = split_part(c.name, ':', 2)
 WHERE c.name LIKE 'inbox:%' AND c.position > coalesce(w.last, 0)
"""

_ASK = "Compare with the venue's own record of the ClOrdID before anything else is sent for the account"

CHECKS = (
    Check(
        "SENT_TWICE", "I2", Level.WIRE,
        "Nothing is on the wire twice under one ClOrdID.",
        f"Switch trading off. {_ASK}; one of the two orders must be canceled or taken on.",
        sql=_TWICE,
    ),
    Check(
        "SENT_UNPROVEN", "I2", Level.WIRE,
        "Every order message on the wire was handed over before.",
        f"Switch trading off: something sends past the gateway. {_ASK}.",
        sql=_UNPROVEN,
    ),
    Check(
        "SENT_UNRELEASED", "I2", Level.WIRE,
        "Every hand-over belongs to one intent, for a request that was released before.",
        f"Switch trading off: something was sent that nobody released. {_ASK}.",
        sql=_UNRELEASED,
    ),
    Check(
        "HAND_OVER_MISSING", "I2", Level.WIRE,
        "Everything that is said to have been handed over has its hand-over.",
        f"It may be sent again: stop the gateway of its group. {_ASK}.",
        sql=_UNMARKED,
    ),
    Check(
        "BODY_DIFFERS", "I2", Level.WIRE,
        "What is on the wire is what was handed over, field by field.",
        f"The venue may have been told something else than was checked. {_ASK}.",
        look=differing_bodies, reads_all=True,
    ),
    Check(
        "RELEASED_UNROUTED", "I6", Level.WIRE,
        "Everything released that routing has passed waits to be sent, or has its end.",
        "The order is lost between two rooms: cancel it (it completes here) and enter it again.",
        sql=_UNROUTED,
    ),
    Check(
        "INTENT_OVERDUE", "I2", Level.WIRE,
        "Nothing waits to be sent past its time (grace 60 s).",
        "See whether the gateway of the group runs (./oms status); it ends what is overdue as soon as it does.",
        sql=_LATE,
    ),
    Check(
        "INTENT_STRANDED", "I2", Level.WIRE,
        "Nothing waits to be sent for a request that has its end (grace 60 s, while the session is on).",
        "See the log of the gateway of the group: it must refuse or withdraw such an intent when it meets it.",
        sql=_STRANDED,
    ),
    Check(
        "REQUEST_SILENT", "I2", Level.WIRE,
        "A request the venue does not answer becomes unknown and is asked for (grace 120 s, while the session is on).",
        "See the log of the gateway of the group; ask the venue by phone for the ClOrdID.",
        sql=_SILENT,
    ),
    Check(
        "UNKNOWN_UNASKED", "I2", Level.WIRE,
        "Every request whose fate is unknown is asked for until the venue has spoken.",
        "Nobody will ever ask the venue: call it for the ClOrdID, and open the inquiry again (venues.services.mark_silent).",
        sql=_UNASKED,
    ),
    Check(
        "SENT_WHILE_HALTED", "I8", Level.WIRE,
        "Nothing that adds risk left while a block stood in its scope (grace 5 s).",
        f"A gate did not hold: switch trading off. {_ASK}.",
        sql=_HALTED,
    ),
    Check(
        "SENT_IN_RECOVERY", "I8", Level.WIRE,
        "Nothing that adds risk left while its session was being compared with the venue (grace 1 s).",
        f"The gate of the session did not hold: switch new orders of the session off. {_ASK}.",
        sql=_RECOVERING,
    ),
    Check(
        "DIFFERENCE_UNGATED", "I8", Level.WIRE,
        "An account with an order that differs from the venue's takes no new risk.",
        "Impose a block on the account; the page of the session shows what differs.",
        sql=_UNGATED,
    ),
    Check(
        "EXECUTION_UNHEARD", "I7", Level.WIRE,
        "Every execution that came over the wire has the message it came with.",
        "An execution without its message was invented or the message was deleted: ask the venue for it by ExecID.",
        sql=_MESSAGES,
    ),
    Check(
        "INBOX_AHEAD", "I6", Level.WIRE,
        "No inbox has worked further than what its session has sent.",
        "Messages were deleted, or a restore has lost them: ask the venue to send them again from the last number that is stored.",
        sql=_READ,
    ),
)  # fmt: skip
