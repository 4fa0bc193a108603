"""Sweeper: what was accepted as a difference in time until a day is open again after that day, whether a run comes or not."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from reconciliation.domain import transitions as moves
from reconciliation.locks import lock_break
from reconciliation.models import Break
from reconciliation.services._closing import reopen_break
from reconciliation.services._effects import ACTOR

SLICE = 500


def reopen_accepted(*, at: datetime) -> int:
    """How many are open again."""
    due = Break.objects.filter(state=moves.ACCEPTED, accepted_until__lt=at.date()).order_by("id")
    reopened = 0
    for break_id in due.values_list("id", flat=True)[:SLICE]:
        with transaction.atomic():
            item = lock_break(break_id)
            if item.state == moves.ACCEPTED and item.accepted_until is not None and item.accepted_until < at.date():
                reopen_break(item, actor=ACTOR.actor, at=at)
                reopened += 1
    return reopened
