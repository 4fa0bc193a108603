"""Planted corruptions of post-trade messages (see ``corruptions``). Each brings the rows it corrupts."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

_INTENT = """INSERT INTO venues_posttradeintent (session_group, kind, name, payload, state, reason, event_id, correlation_id, created_at)
    SELECT 'T1', 'allocation_instruction', 'B-1', payload, '{state}', '', id, id, now() FROM journal_event ORDER BY position LIMIT 1"""
_PROOF = """INSERT INTO venues_posttradehandover (name, intent_id, mapping, body, session, epoch, fence, handed_over_at)
    SELECT '{name}', {intent}, 'fix44/1', '', 'T1-A', 'e', 1, now()"""
_AGAIN = """INSERT INTO venues_posttradeagain (name, intent_id, why, body, session, epoch, fence, handed_over_at)
    SELECT 'T1|allocation_instruction|B-1', -1, '', '', 'T1-A', 'e', 1, now()"""
_MESSAGE = """INSERT INTO venues_wiremessage (direction, session, epoch, msg_seq_num, msg_type, poss_dup, cl_ord_id, venue_order_id, shard,
    raw, recorded_at) VALUES ('in', 'T1-A', 'fsck', 900001, 'P', false, '', '', 0, '', now());
    INSERT INTO journal_cursor (name, position, updated_at) SELECT 'post-trade:T1-A', max(id), now() FROM venues_wiremessage
    ON CONFLICT (name) DO UPDATE SET position = excluded.position"""

POST_TRADE_WIRE = (
    Corruption(
        "POST_TRADE_UNPROVEN", "marked, not proven", _INTENT.format(state="handed_over"), ("POST_TRADE_UNRELEASED",),
    ),
    Corruption("POST_TRADE_UNPROVEN", "without an intent", _PROOF.format(name="T1|allocation_instruction|B-1", intent=-1)),
    Corruption(
        "POST_TRADE_UNPROVEN", "still waits",
        _INTENT.format(state="waiting") + ";"
        + _PROOF.format(name="T1|allocation_instruction|B-1", intent="(SELECT max(id) FROM venues_posttradeintent)"),
        ("POST_TRADE_UNRELEASED",),
    ),
    Corruption("POST_TRADE_UNPROVEN", "again without a first time", _AGAIN),
    Corruption("POST_TRADE_UNRELEASED", "of an event that is none", _INTENT.format(state="waiting")),
    Corruption("POST_TRADE_UNRETURNED", "told nobody", _INTENT.format(state="refused"), ("POST_TRADE_UNRELEASED",)),
    Corruption("POST_TRADE_UNTOLD", "passed over", _MESSAGE),
)  # fmt: skip
