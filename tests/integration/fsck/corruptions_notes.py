"""Planted corruptions of contract notes and the trade feed (see ``corruptions``)."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

LAST = "(SELECT id FROM allocations_contractnote WHERE state = 'issued' ORDER BY number DESC LIMIT 1)"
ONE = "(SELECT position FROM allocations_feedentry ORDER BY position LIMIT 1)"
TOLD = f"(SELECT allocation_id FROM allocations_contractnote_allocations WHERE contractnote_id = {LAST} ORDER BY id LIMIT 1)"

NOTES = (
    Corruption(
        "NOTE_NUMBERS_GAP", "one left out",
        "UPDATE allocations_contractnote SET number = number + 1 WHERE number = (SELECT max(number) FROM allocations_contractnote)",
    ),
    Corruption(
        "NOTE_NUMBERS_GAP", "given and not written", "UPDATE allocations_noteseries SET last_number = last_number + 1 WHERE code = 'UK'"
    ),
    Corruption(
        "NOTE_NUMBERS_GAP", "a line of the feed is gone",
        "DELETE FROM allocations_feedentry WHERE position = " + ONE, related=("FEED_DIFFERS",),
    ),
    Corruption(
        "NOTE_TELLS_OTHERWISE", "another fee",
        f"UPDATE allocations_allocation SET fees = fees + 1, net = net - 1 WHERE id = {TOLD}",
        related=("ALLOCATION_TOLD_WRONGLY", "FEED_DIFFERS", "SETTLEMENT_NOT_AS_ALLOCATED"),
    ),
    Corruption(
        "NOTE_TELLS_OTHERWISE", "canceled by nothing", f"UPDATE allocations_contractnote SET state = 'canceled' WHERE id = {LAST}",
        related=("TRADE_NOT_NOTED",),  # the last one is of a late trade
    ),
    Corruption(
        "NOTE_TELLS_OTHERWISE", "on two notes",
        f"INSERT INTO allocations_contractnote_allocations (contractnote_id, allocation_id) SELECT id, {TOLD} FROM "
        f"allocations_contractnote WHERE state = 'issued' AND id <> {LAST} ORDER BY number LIMIT 1",
    ),
    Corruption(
        "TRADE_NOT_NOTED", "long ago",
        f"DELETE FROM allocations_contractnote_allocations WHERE contractnote_id = {LAST}; "
        f"UPDATE allocations_contractnote SET facts = jsonb_set(facts, '{{trades}}', '[]') WHERE id = {LAST}; "
        "UPDATE allocations_allocation SET trade_date = trade_date - 30",
        related=("NOTE_NOT_AS_RECORDED",),
    ),
    Corruption(
        "NOTE_NOT_AS_RECORDED", "another name",
        f"UPDATE allocations_contractnote SET facts = jsonb_set(facts, '{{client,name}}', '\"X\"') WHERE id = {LAST}",
    ),
    Corruption(
        "NOTE_NOT_AS_RECORDED", "another page", f"UPDATE allocations_contractnote SET pdf_sha256 = facts_sha256 WHERE id = {LAST}"
    ),
    Corruption(
        "FEED_DIFFERS", "another quantity",
        "UPDATE allocations_feedentry SET payload = jsonb_set(payload, '{qty}', '\"1\"') WHERE position = " + ONE,
    ),
    Corruption("FEED_DIFFERS", "canceled by nobody", "UPDATE allocations_feedentry SET what = 'cancel' WHERE position = " + ONE),
    Corruption("FEED_DIFFERS", "a version left out", "UPDATE allocations_feedentry SET version = 2 WHERE position = " + ONE),
)  # fmt: skip
