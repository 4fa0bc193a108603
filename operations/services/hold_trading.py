"""Stop what adds risk while the house's own invariants do not hold or are not proven, and let it go on once they are.

The block is this service's alone (source ``fsck``): no other may lift it, and it lifts no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import process_principal
from operations.fsck.check import Outcome
from operations.fsck.prove import stopping
from risk.models import Scope
from risk.selectors import list_standing_blocks
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block

SOURCE = "fsck"
ACTOR = process_principal("fsck")
NAMED = 5
UNPROVEN = "Invariants are still being proven"


def hold_trading(*, at: datetime, outcomes: Sequence[Outcome], unproven: int = 0) -> str:
    """Block the firm when something fails that stops it or ``unproven`` checks were not carried out; else lift the block.

    Returns the reason of the block that stands afterwards, empty when none does. A reason that changed is a new block.
    """
    wanted = reason_of(stopping(outcomes), unproven)
    with transaction.atomic():
        standing = standing_reason()
        if standing is not None and standing != wanted:
            lift_block(actor=ACTOR, at=at, scope=Scope.FIRM, scope_id="", source=SOURCE, reason=wanted or "All hold.")
        if wanted and standing != wanted:
            impose_block(actor=ACTOR, at=at, scope=Scope.FIRM, scope_id="", source=SOURCE, reason=wanted)
    return wanted


def standing_reason() -> str | None:
    """The reason of our block, if it stands."""
    return next((block.reason for block in list_standing_blocks() if block.source == SOURCE), None)


def reason_of(found: Sequence[Outcome], unproven: int) -> str:
    """The findings in one sentence, the first few by name; empty when nothing is wrong."""
    if found:
        named = ", ".join(f"{one.check.code} ({one.found})" for one in found[:NAMED])
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        return f"Invariants do not hold: {named}{more}. See ./oms fsck."
    return f"{UNPROVEN}: {unproven} checks are left of those that an opening waits for." if unproven else ""
