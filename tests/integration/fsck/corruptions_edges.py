"""Planted corruptions at the edges of the house: exceptions, the venue's truth, prices."""

from __future__ import annotations

from tests.integration.fsck.corruption import DIFFERENCE, LINE_UP, LIVE, NOW, Corruption

# An order of which both sides say the same and nothing waits: what the venue's truth is compared on.
RESTING = """(SELECT o.id FROM orders_order o WHERE o.session_group = 'T1' AND o.cum_qty > 0 AND NOT EXISTS (SELECT FROM
    orders_orderrequest r WHERE r.order_id = o.id AND r.state IN ('handed_over', 'unknown')) ORDER BY o.id LIMIT 1)"""

EXCEPTIONS = (
    Corruption(
        "ANOMALY_UNSEEN", "its item names other events",
        "UPDATE operations_exceptionitem SET first_event_id = (SELECT id FROM journal_event ORDER BY position LIMIT 1), "
        "sources = '[]' WHERE kind = 'REQUEST_UNKNOWN'",
    ),
    Corruption(
        "ANOMALY_WAITING", "the listener stands still",
        "UPDATE journal_cursor SET position = (SELECT min(position) - 1 FROM journal_event WHERE kind = 'AnomalyRaised') "
        "WHERE name = 'operations.exceptions'",
    ),
    Corruption(
        "ITEM_STATE_DIFFERS", "closed too early",
        "UPDATE operations_exceptionitem SET state = 'cleared' WHERE kind = 'OVERFILL'",
    ),
    Corruption(
        "ITEM_UNOWNED", "nobody's",
        "UPDATE operations_exceptionitem SET owner_group = '' WHERE kind = 'OVERFILL' AND closed_at IS NULL",
    ),
    Corruption(
        "ITEM_ENDED_SILENTLY", "past its services",
        "UPDATE operations_exceptionitem SET state = 'closed', closed_at = now(), closing_sentence = 'x' WHERE kind = 'OVERFILL'",
    ),
    Corruption(
        "ITEM_STANDS_STILL", "the sweeper does not come",
        f"UPDATE operations_exceptionitem SET next_at = {NOW} - interval '301 seconds' WHERE kind = 'OVERFILL'; "
        f"UPDATE journal_cursor SET updated_at = {NOW} WHERE name = 'operations.exceptions'",
    ),
    Corruption(
        "ITEM_BASELESS", "of no event", "UPDATE operations_exceptionitem SET first_event_id = gen_random_uuid() "
        "WHERE kind = 'OVERFILL'",
    ),
    Corruption(
        "MATTER_UNTOLD", "never raised",
        "UPDATE journal_event SET kind = 'AnomalyCleared' WHERE kind = 'AnomalyRaised' "
        "AND payload ->> 'kind' = 'REQUEST_UNKNOWN'",
        ("EVENT_ALTERED", "ITEM_STATE_DIFFERS"),
    ),
    Corruption(
        "SET_ASIDE_UNTOLD", "silently", "UPDATE journal_setaside SET position = '0' WHERE source LIKE 'inbox:%'"
    ),
    Corruption(
        "BACKLOG_STUCK", "the inbox stands still",
        f"{LINE_UP}; UPDATE journal_cursor SET position = 0 WHERE name LIKE 'inbox:T1-A%';"
        "UPDATE venues_wiremessage SET recorded_at = recorded_at - interval '1 hour' WHERE session = 'T1-A'",
    ),
)  # fmt: skip

TRUTH = (
    Corruption(
        "DIFFERENCE_OPEN", "an order of the venue that is none of ours",
        DIFFERENCE.format(found=f"{NOW} - interval '2 minutes'", account="NULL"), ("MATTER_UNTOLD",),
    ),
    Corruption(
        "VENUE_STATE_DIFFERS", "another price here",
        f"UPDATE orders_order SET price = price + 1 WHERE id = {RESTING}",
        ("FACTS_DIFFER",),
    ),
    Corruption(
        "VENUE_EXECUTIONS_DIFFER", "another quantity here",
        f"UPDATE orders_execution SET effective_qty = effective_qty - 1 WHERE order_id = {RESTING}",
        ("FILLS_DIFFER", "EXECUTION_DIFFERS", "EXECUTION_BOOKED_WRONGLY", "EXECUTION_NOT_IN_BLOCK"),
    ),
    Corruption(
        "ORDER_ON_ONE_SIDE", "a name the venue does not know",
        f"UPDATE orders_orderrequest SET cl_ord_id = 'X' WHERE kind = 'new' AND order_id = {LIVE}",
        ("SENT_UNRELEASED", "HAND_OVER_MISSING", "FACTS_DIFFER"),
    ),
)  # fmt: skip

PRICES = (
    Corruption(
        "PRICE_NOT_ITS_TICK", "names a tick that is gone",
        f"UPDATE refdata_referenceprice SET tick = gen_random_uuid(), priced_at = {NOW}",
    ),
    Corruption(
        "PRICE_NOT_ITS_TICK", "says another price than its tick",
        "INSERT INTO refdata_pricetick (id, listing_id, source, made_at, received_at, last, outcome) "
        f"SELECT listing_id, listing_id, source, priced_at, priced_at, last + 1, 'applied' FROM refdata_referenceprice;"
        f"UPDATE refdata_referenceprice SET tick = listing_id, priced_at = {NOW}",
    ),
    Corruption(
        "PRICE_DOUBT_UNTOLD", "in doubt without an anomaly",
        "UPDATE refdata_referenceprice SET quality = 'suspect', suspicion = 'JUMP'",
    ),
)  # fmt: skip
