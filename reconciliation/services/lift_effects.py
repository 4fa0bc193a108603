"""Let go of everything that breaks stop: to be called in the transaction that closes or accepts them, before its end."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from reconciliation.domain.effects import Stands
from reconciliation.locks import lock_breaks
from reconciliation.services._effects import change_effects


def lift_effects(*, break_ids: Collection[UUID], at: datetime) -> int:
    """How many stopped something. A handful of statements, however many they are."""
    with transaction.atomic():
        stopping = [item for item in lock_breaks(break_ids) if item.effect]
        change_effects([(item, Stands.NOTHING) for item in stopping], at=at)
    return len(stopping)
