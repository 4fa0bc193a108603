"""What bounded an order at a moment: blocks that stood, whether trading was on, limits as they were then.

Blocks keep when they were imposed and lifted. Limits keep their history (simple-history): evidence of who changed them is
the journal's (``LimitChanged``). Of several marks of one key the one in force then is shown. What was used then is in the
answers that each request keeps: used before and after, marks and version of the sum.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from risk.domain.facts import BlockFact, LimitFact, WaiverFact
from risk.domain.in_force import DatedLimit, in_force
from risk.models import Block, Limit, Scope, Waiver
from risk.selectors import TRADING_SWITCH


@dataclass(frozen=True, slots=True)
class MarksAsAt:
    """The switch, the blocks (the switch's own left out) and the limits of some scopes at a time."""

    trading_on: bool
    blocks: tuple[BlockFact, ...]
    limits: tuple[LimitFact, ...]


def get_marks_as_at(*, at: datetime, pairs: Collection[tuple[str, str]]) -> MarksAsAt:
    """Marks of the (scope, scope_id) pairs as they stood ``at`` a time."""
    own = set(pairs)
    stood = Q(imposed_at__lte=at) & (Q(lifted_at__isnull=True) | Q(lifted_at__gt=at))
    granted = Q(granted_at__lte=at) & (Q(ended_at__isnull=True) | Q(ended_at__gt=at))
    said: dict[UUID, list[WaiverFact]] = {}
    for one in Waiver.objects.filter(granted).order_by("id"):
        said.setdefault(one.block_id, []).append(WaiverFact(str(one.id), one.account_id, one.until))
    blocks = [
        BlockFact(block.scope, block.scope_id, block.source, block.reason, tuple(said.get(block.id, ())))
        for block in Block.objects.filter(stood).order_by("imposed_at", "id")
        if (block.scope, block.scope_id) in own
    ]
    switch = Block.objects.filter(source=TRADING_SWITCH, scope=Scope.FIRM, lifted_at__lte=at)
    off = any(block.source == TRADING_SWITCH for block in blocks)
    dated = [
        DatedLimit(
            LimitFact(limit.kind, limit.scope, limit.scope_id, limit.currency, limit.warn, limit.hard),
            limit.effective_from,
            limit.effective_until,
        )
        for limit in Limit.history.as_of(at)
        if (limit.scope, limit.scope_id) in own
    ]
    limits = in_force(dated, at)
    return MarksAsAt(
        trading_on=not off and switch.exists(),
        blocks=tuple(block for block in blocks if block.source != TRADING_SWITCH),
        limits=tuple(sorted(limits, key=lambda item: (item.scope, item.scope_id, item.kind, item.currency))),
    )
