"""How old what is open is, and what comes back: by source and category, over the last thirty days."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Case, CharField, Count, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from authorisation.domain.principal import Principal
from operations.domain.recon_words import bucket_starts
from operations.selectors.recon.breaks import open_breaks
from reconciliation.models import Break
from reconciliation.selectors.seeing import visible_breaks

LOOKS_BACK = timedelta(days=30)
MOST_COMING_BACK = 50


@dataclass
class AgeingRow:
    """Open breaks of a kind, source and category: how many in each bucket, and what they come to by currency."""

    kind: str
    source: str
    category: str
    buckets: dict[str, int]
    net: dict[str, Decimal] = field(default_factory=dict)
    accepted: int = 0

    @property
    def total(self) -> int:
        return sum(self.buckets.values())


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Of a source and category within thirty days: breaks found, and how many of them had been closed before."""

    kind: str
    source: str
    category: str
    found: int
    came_back: int


def list_ageing(*, actor: Principal, at: datetime) -> list[AgeingRow]:
    """By kind, source and category. One statement."""
    starts = bucket_starts(at)
    titles = [title for title, _ in starts]
    steps = [When(since__gt=start, then=Value(title)) for title, start in starts if start is not None]
    grouped = (
        open_breaks(actor)
        .annotate(since=Coalesce(F("event_at"), F("found_at")))
        .annotate(bucket=Case(*steps, default=Value(titles[-1]), output_field=CharField()))
        .order_by()
        .values_list("kind", "source", "category", "bucket", "exposure_currency")
        .annotate(number=Count("id"), amount=Sum("exposure"), accepted=Count("id", filter=Q(state="accepted")))
    )
    rows: dict[tuple[str, str, str], AgeingRow] = {}
    for kind, source, category, bucket, currency, number, amount, accepted in grouped:
        row = rows.setdefault((kind, source, category), AgeingRow(kind, source, category, dict.fromkeys(titles, 0)))
        row.buckets[bucket] += number
        row.accepted += accepted
        if currency and amount is not None:
            row.net[currency] = row.net.get(currency, Decimal(0)) + amount
    return [rows[key] for key in sorted(rows)]


def list_recurrence(*, actor: Principal, at: datetime) -> list[Recurrence]:
    """Most that came back first. One statement."""
    rows = (
        visible_breaks(actor)
        .filter(found_at__gt=at - LOOKS_BACK)
        .order_by()
        .values_list("kind", "source", "category")
        .annotate(number=Count("id"), again=Count("id", filter=Q(recurrence__gt=1)))
    )
    return sorted(
        (Recurrence(*row) for row in rows), key=lambda one: (-one.came_back, -one.found, one.source, one.category)
    )


def list_coming_back(*, actor: Principal, at: datetime) -> list[Break]:
    """The breaks of the last thirty days that had been closed before, the most often first, at most 50."""
    rows = visible_breaks(actor).filter(found_at__gt=at - LOOKS_BACK, recurrence__gt=1)
    return list(rows.order_by("-recurrence", "-number")[:MOST_COMING_BACK])
