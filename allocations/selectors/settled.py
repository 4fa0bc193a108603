"""How much of an allocation has changed hands: whether it can still be reversed, or must be compensated."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from uuid import UUID

from allocations.locks import lock_settled_of
from allocations.models import SettlementInstruction


def settled_of(allocation_ids: Collection[UUID], *, lock: bool = False) -> dict[UUID, Decimal]:
    """Settled units by allocation; of which nothing has settled is absent.

    ``lock`` for who is about to undo them, behind the balances of their accounts: then nothing settles until commit.
    """
    if not allocation_ids:
        return {}
    if lock:
        rows = lock_settled_of(allocation_ids)
    else:
        found = SettlementInstruction.objects.filter(allocation_id__in=list(allocation_ids), settled_qty__gt=0)
        rows = list(found.values_list("allocation_id", "settled_qty"))
    return {allocation_id: qty for allocation_id, qty in rows if qty > 0}
