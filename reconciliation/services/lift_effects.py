"""Let go of everything that breaks stop: to be called in the transaction that closes or accepts them, before its end."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from reconciliation.domain.effects import Stands
from reconciliation.locks import lock_breaks
from reconciliation.services._effects import change_effect


def lift_effects(*, break_ids: Collection[UUID], at: datetime) -> int:
    """How many stopped something. Those that stop nothing cost one statement together."""
    with transaction.atomic():
        lifted = 0
        for item in lock_breaks(break_ids):
            if item.effect:
                change_effect(item, Stands.NOTHING, at=at)
                lifted += 1
    return lifted
