"""Level 4, after the trade: what was said to counterparties was handed over once, and what they said was told once."""

from __future__ import annotations

from operations.fsck.check import Check, Level

_UNPROVEN = """
SELECT i.session_group || ' ' || i.name AS subject, 'is marked as handed over and no hand-over proves it' AS what
  FROM venues_posttradeintent i LEFT JOIN venues_posttradehandover h ON h.intent_id = i.id
 WHERE i.state = 'handed_over' AND h.name IS NULL
UNION ALL
SELECT h.name, CASE WHEN i.id IS NULL THEN 'was handed over without an intent' WHEN i.state NOT IN ('handed_over', 'returned')
       THEN format('was handed over and its intent is %s', i.state) ELSE 'was handed over under another name than its intent has' END
  FROM venues_posttradehandover h LEFT JOIN venues_posttradeintent i ON i.id = h.intent_id
 WHERE i.id IS NULL OR i.state NOT IN ('handed_over', 'returned') OR h.name <> concat_ws('|', i.session_group, i.kind, i.name)
UNION ALL
SELECT a.name, 'was handed over again and there is no first time'
  FROM venues_posttradeagain a LEFT JOIN venues_posttradehandover h ON h.name = a.name AND h.intent_id = a.intent_id
 WHERE h.name IS NULL
"""

_UNRETURNED = """
SELECT i.session_group || ' ' || i.name AS subject, format('is %s and who released it was never told', i.state) AS what
  FROM venues_posttradeintent i
 WHERE i.state IN ('refused', 'returned')
   AND NOT EXISTS (SELECT FROM journal_event e WHERE e.stream = 'post-trade:' || i.session_group
                      AND e.kind = 'PostTradeMessageReturned' AND e.causation_id = i.event_id)
"""

_UNRELEASED = """
SELECT i.session_group || ' ' || i.name AS subject,
       CASE WHEN e.id IS NULL THEN 'is to be sent and nobody released it' ELSE 'is not what was released' END AS what
  FROM venues_posttradeintent i LEFT JOIN journal_event e ON e.id = i.event_id AND e.kind = 'PostTradeMessageReleased'
 WHERE e.id IS NULL OR e.payload <> i.payload
"""

# The cursor and what was told commit together: behind it each message was told, set aside, or is a transport duplicate.
_UNTOLD = """
WITH told AS (
    SELECT (payload ->> 'wire_message_id')::bigint AS id, count(*) AS times FROM journal_event
     WHERE kind = 'PostTradeMessageReceived' GROUP BY 1)
SELECT format('message %s of %s', w.id, w.session) AS subject, 'was worked and told to nobody' AS what
  FROM venues_wiremessage w JOIN journal_cursor c ON c.name = 'post-trade:' || w.session AND c.position >= w.id
  LEFT JOIN told t ON t.id = w.id
 WHERE w.direction = 'in' AND w.msg_type IN ('J', 'P', 'AS', 'AT', 'AK', 'AU') AND t.id IS NULL
   AND NOT EXISTS (SELECT FROM journal_setaside s WHERE s.source = 'post-trade:' || w.session AND s.position = w.id::text)
   AND NOT EXISTS (SELECT FROM venues_wiremessage d WHERE d.session = w.session AND d.epoch = w.epoch AND d.direction = 'in'
                      AND d.msg_seq_num = w.msg_seq_num AND d.msg_type = w.msg_type AND d.id < w.id)
UNION ALL
SELECT format('message %s', t.id), CASE WHEN w.id IS NULL THEN 'was told and never came' ELSE format('was told %s times', t.times) END
  FROM told t LEFT JOIN venues_wiremessage w ON w.id = t.id WHERE w.id IS NULL OR t.times > 1
"""

CHECKS = (
    Check(
        "POST_TRADE_UNPROVEN", "I2", Level.WIRE,
        "Every post-trade message that was handed over has its proof, once, under its own name.",
        "It may be sent again: stop the gateway of its group, then ask the counterparty what it has (R-28).",
        sql=_UNPROVEN,
    ),
    Check(
        "POST_TRADE_UNRELEASED", "I2", Level.WIRE,
        "What is sent after a trade is what was released, word for word.",
        "Stop the gateway of its group; if it left already, call the counterparty and cancel it (R-28).",
        sql=_UNRELEASED,
    ),
    Check(
        "POST_TRADE_UNRETURNED", "I10", Level.WIRE,
        "What could not be said to a counterparty, or was refused by its session, came back to who released it.",
        "The confirmations it carried say sent and are not: reject them by hand with the reason of the intent, then send again (R-28).",
        sql=_UNRETURNED,
    ),
    Check(
        "POST_TRADE_UNTOLD", "I6", Level.WIRE,
        "What a counterparty said after a trade was told once, or set aside where a person sees it.",
        "Compare what the message says with its confirmation by hand; the raw text is on the session's page.",
        sql=_UNTOLD,
    ),
)  # fmt: skip
