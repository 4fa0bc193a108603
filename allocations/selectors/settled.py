"""How much of an allocation has changed hands: what can no longer be undone by reversal."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from allocations.models import SettlementInstruction


def settled_of(allocation_ids: Collection[UUID]) -> dict[UUID, Decimal]:
    """Units settled by allocation; those of which nothing has are absent."""
    rows = SettlementInstruction.objects.filter(allocation_id__in=set(allocation_ids), settled_qty__gt=0)
    return dict(rows.values_list("allocation_id").annotate(total=Sum("settled_qty")))
