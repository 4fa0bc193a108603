"""Planted corruptions of allocations (see ``corruptions``)."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

LINE = "(SELECT a.id FROM allocations_allocation a JOIN allocations_block b ON b.id = a.block_id WHERE b.kind = 'block' AND a.state = 'booked' AND a.qty > 0 ORDER BY a.id LIMIT 1)"  # noqa: E501
BLOCK = "(SELECT id FROM allocations_block WHERE kind = 'block' AND state = 'booked' ORDER BY id LIMIT 1)"
EVENT = "(SELECT id FROM journal_event WHERE kind = 'AllocationBooked' ORDER BY position LIMIT 1)"
GIVEN = "(SELECT min(id) FROM accounts_booking WHERE kind = 'allocation' AND allocation_id IS NULL AND currency <> '')"

ALLOCATIONS = (
    Corruption(
        "ALLOCATION_LINES_DIFFER", "another share", f"UPDATE allocations_allocation SET qty = qty + 1 WHERE id = {LINE}",
        related=(
            "ALLOCATION_BOOKED_WRONGLY", "ALLOCATION_TOLD_WRONGLY", "FEED_DIFFERS", "NOTE_TELLS_OTHERWISE",
            "SETTLEMENT_NOT_AS_ALLOCATED",
        ),
    ),
    Corruption(
        "ALLOCATION_LINES_DIFFER", "another sum", f"UPDATE allocations_block SET allocated_cash = allocated_cash + 0.01 WHERE id = {BLOCK}"
    ),
    Corruption(
        "ALLOCATION_BOOKED_WRONGLY", "booked elsewhere",
        f"UPDATE accounts_booking SET account_id = (SELECT id FROM accounts_tradingaccount ORDER BY id LIMIT 1) "
        f"WHERE allocation_id = {LINE} AND currency <> '' AND charge = ''",
        related=("CASH_DIFFERS",),
    ),
    Corruption(
        "ALLOCATION_TOLD_WRONGLY", "untold",
        "UPDATE journal_event SET kind = 'SomethingElse' WHERE id = " + EVENT,
        related=("EVENT_ALTERED",),
    ),
    Corruption(
        "ALLOCATION_FROM_NOWHERE", "given twice", f"UPDATE accounts_booking SET amount = 2 * amount WHERE id = {GIVEN}",
        related=("CASH_DIFFERS",),
    ),
    Corruption(
        "ALLOCATION_FROM_NOWHERE", "found by nobody", f"DELETE FROM accounts_allocationpart WHERE event_id = {EVENT}",
    ),
)  # fmt: skip
