"""Restrictions in force, for whoever sweeps orders. Lists for screens are compliance's (``rulebook.listing``)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from risk.models import Restriction

MOST = 500


def list_to_sweep(*, at: datetime) -> list[Restriction]:
    """Approved, in force, and not swept yet; the watch list sweeps nothing."""
    rows = Restriction.objects.filter(approved_at__isnull=False, swept_at__isnull=True, effective_from__lte=at)
    return list(rows.order_by("effective_from", "id")[:MOST])


def list_in_force(*, at: datetime) -> list[Restriction]:
    """Entries of the restricted list that were swept and still hold."""
    still = Q(effective_until__isnull=True) | Q(effective_until__gt=at)
    rows = Restriction.objects.filter(
        still, list=Restriction.List.RESTRICTED, swept_at__isnull=False, effective_from__lte=at
    )
    return list(rows.order_by("effective_from", "id")[:MOST])
