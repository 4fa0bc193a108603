"""Stop what adds risk while the house's own invariants do not hold, and let it go on once they do.

The block is this service's alone (source ``fsck``): no other may lift it, and it lifts no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from authorisation.domain.principal import process_principal
from kernel.errors import NotFound
from operations.fsck.check import Outcome
from operations.fsck.prove import failing
from risk.models import Scope
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block

SOURCE = "fsck"
ACTOR = process_principal("fsck")
NAMED = 5


def hold_trading(*, at: datetime, outcomes: Sequence[Outcome]) -> bool:
    """Block the firm when something fails, with the findings as the reason; lift the block when nothing does.

    True when the block stands afterwards. One that stands already keeps the reason it began with.
    """
    found = failing(outcomes)
    if found:
        impose_block(actor=ACTOR, at=at, scope=Scope.FIRM, scope_id="", source=SOURCE, reason=reason_of(found))
        return True
    try:
        lift_block(actor=ACTOR, at=at, scope=Scope.FIRM, scope_id="", source=SOURCE, reason="Every invariant holds.")
    except NotFound:
        return False
    return False


def reason_of(found: Sequence[Outcome]) -> str:
    """The findings in one sentence, the first few by name."""
    named = ", ".join(f"{one.check.code} ({one.found})" for one in found[:NAMED])
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"Invariants do not hold: {named}{more}. See ./oms fsck."
