"""After an opening that could not wait: carry out all it would have waited for, and lift the block that stands for them."""

from __future__ import annotations

from datetime import datetime

from operations.fsck.registry import before_opening
from operations.locks import try_lock_proof
from operations.services.check_invariants import check_invariants
from operations.services.hold_trading import UNPROVEN, standing_reason


def finish_proof(*, at: datetime) -> bool:
    """True when there was something to finish. One at a time: who comes second leaves it to the first."""
    reason = standing_reason()
    if reason is None or not reason.startswith(UNPROVEN):
        return False
    with try_lock_proof() as ours:
        if not ours:
            return False
        check_invariants(at=at, checks=before_opening(), gate=True)
    return True
