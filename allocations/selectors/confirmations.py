"""Reads of confirmations by people: whose exist for whom, the list, one whole, what waits unpaired."""

from __future__ import annotations

from django.db.models import QuerySet

from allocations.models import Confirmation, CounterpartyRecord
from allocations.permissions import DECIDE_POST_TRADE, WORK_POST_TRADE
from authorisation.domain.principal import Principal
from orders.permissions import visible_desks, visible_groups


def visible_confirmations(actor: Principal) -> QuerySet[Confirmation]:
    """Those that exist for the actor: the block's desk and the account's group must both be granted."""
    rows = Confirmation.objects.all()
    if actor.is_process:
        return rows
    return rows.filter(
        allocation__block__desk_id__in=visible_desks(actor), allocation__account__group_id__in=visible_groups(actor)
    )


def sees_unpaired(actor: Principal) -> bool:
    """Whether records of nobody we know exist for the actor: they belong to no desk, and to those who work on them."""
    return actor.is_process or not actor.rights.isdisjoint((WORK_POST_TRADE, DECIDE_POST_TRADE))


def unpaired_records(actor: Principal) -> QuerySet[CounterpartyRecord]:
    """What counterparties said that is about nothing of ours, newest first."""
    rows = CounterpartyRecord.objects.filter(state=CounterpartyRecord.State.UNPAIRED).order_by("-received_at", "-id")
    return rows if sees_unpaired(actor) else rows.none()
