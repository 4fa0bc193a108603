"""Planted corruptions of blocks (see ``corruptions``)."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

FILL = "(SELECT execution_id FROM allocations_blockfill WHERE qty > 0 ORDER BY execution_id LIMIT 1)"
BLOCK = "(SELECT id FROM allocations_block WHERE qty > 0 ORDER BY id LIMIT 1)"

BLOCKS = (
    Corruption(
        "EXECUTION_NOT_IN_BLOCK", "forgotten", f"DELETE FROM allocations_blockfill WHERE execution_id = {FILL}",
        related=("BLOCK_SUMS_DIFFER",),
    ),
    Corruption(
        "EXECUTION_NOT_IN_BLOCK", "another price",
        f"UPDATE allocations_blockfill SET px = px + 1 WHERE execution_id = {FILL}",
        related=("BLOCK_SUMS_DIFFER",),
    ),
    Corruption(
        "EXECUTION_NOT_IN_BLOCK", "another money",
        f"UPDATE allocations_blockfill SET cash = cash + 0.01 WHERE execution_id = {FILL}",
        related=("BLOCK_SUMS_DIFFER",),
    ),
    Corruption(
        "BLOCK_SUMS_DIFFER", "one more", f"UPDATE allocations_block SET qty = qty + 1 WHERE id = {BLOCK}",
        related=("ALLOCATION_LINES_DIFFER",),
    ),
    Corruption("BLOCK_SUMS_DIFFER", "another average", f"UPDATE allocations_block SET avg_px = avg_px + 1 WHERE id = {BLOCK}"),
    Corruption("BLOCK_MIXES", "another day", f"UPDATE allocations_block SET trade_date = trade_date + 1 WHERE id = {BLOCK}"),
)  # fmt: skip
