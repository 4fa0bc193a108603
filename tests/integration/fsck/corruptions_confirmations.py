"""Planted corruptions of confirmations (see ``corruptions``)."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

AFFIRMED = "(SELECT id FROM allocations_confirmation WHERE state = 'affirmed' AND affirmed_by LIKE 'process:%' ORDER BY ref LIMIT 1)"
OPEN = "(SELECT id FROM allocations_confirmation WHERE state <> 'canceled' ORDER BY id LIMIT 1)"

CONFIRMATIONS = (
    Corruption(
        "CONFIRMATION_NOT_ALLOCATION", "of what was undone",
        f"""UPDATE allocations_allocation SET state = 'reversed'
             WHERE id = (SELECT allocation_id FROM allocations_confirmation WHERE id = {OPEN})""",
        related=("ALLOCATION_BOOKED_WRONGLY", "ALLOCATION_LINES_DIFFER", "ALLOCATION_TOLD_WRONGLY", "FEED_DIFFERS"),
    ),
    Corruption(
        "CONFIRMATION_STATE_UNTOLD", "moved by hand", f"UPDATE allocations_confirmation SET state = 'matched' WHERE id = {AFFIRMED}"
    ),
    Corruption(
        "CONFIRMATION_STATE_UNTOLD", "gone",
        f"DELETE FROM allocations_counterpartyrecord; DELETE FROM allocations_confirmation WHERE id = {AFFIRMED}",
        related=("CONFIRMATION_NOT_ALLOCATION",),
    ),
    Corruption(
        "CONFIRMATION_AFFIRMED_BY_NOBODY", "their word is gone",
        "DELETE FROM allocations_counterpartyrecord WHERE kind = 'confirmation'",
    ),
    Corruption(
        "CONFIRMATION_AFFIRMED_BY_NOBODY", "two words on one",
        f"""INSERT INTO allocations_counterpartyrecord (id, counterparty, kind, their_ref, trans_type, says, source, state, confirmation_id,
            received_at, event_id) SELECT gen_random_uuid(), counterparty, kind, 'K-2', 'new', says, 'fix:planted', 'paired', {AFFIRMED},
            received_at, event_id FROM allocations_counterpartyrecord WHERE kind = 'confirmation' LIMIT 1""",
    ),
)  # fmt: skip
