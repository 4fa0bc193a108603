"""Level 4, after the trade: what was said to counterparties was handed over once, and what they said was told once."""

from __future__ import annotations

from operations.fsck.check import Check, Level

_UNPROVEN = """
SELECT i.session_group || ' ' || i.name AS subject, 'is marked as handed over and no hand-over proves it' AS what
  FROM venues_posttradeintent i LEFT JOIN venues_posttradehandover h ON h.intent_id = i.id
 WHERE i.state = 'handed_over' AND h.name IS NULL
UNION ALL
SELECT h.name, CASE WHEN i.id IS NULL THEN 'was handed over without an intent' WHEN i.state <> 'handed_over'
       THEN format('was handed over and its intent is %s', i.state) ELSE 'was handed over under another name than its intent has' END
  FROM venues_posttradehandover h LEFT JOIN venues_posttradeintent i ON i.id = h.intent_id
 WHERE i.id IS NULL OR i.state <> 'handed_over' OR h.name <> concat_ws('|', i.session_group, i.kind, i.name)
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
        "POST_TRADE_UNTOLD", "I6", Level.WIRE,
        "What a counterparty said after a trade was told once, or set aside where a person sees it.",
        "Compare what the message says with its confirmation by hand; the raw text is on the session's page.",
        sql=_UNTOLD,
    ),
)  # fmt: skip
