"""The rules in force, of all versions the newest: what a break stops, by how much a field may differ, what others call our things.

``at`` reads them as they stood at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from django.db.models import QuerySet

from reconciliation.domain.effects import Policy
from reconciliation.domain.rules import Rules
from reconciliation.models import BreakPolicy, OutsideName, Tolerance

WRITE_OFF = "write_off"
"""The field of a tolerance that says up to which amount of a currency a difference may be written off."""


def policies_in_force(*, at: datetime | None = None) -> dict[tuple[str, str], Policy]:
    """By kind and category."""
    return {
        (row.kind, row.category): Policy(row.effect, row.above, row.escalate_after_s) for row in list_policies(at=at)
    }


def list_policies(*, at: datetime | None = None) -> list[BreakPolicy]:
    """The versions in force."""
    newest = BreakPolicy.objects.order_by("kind", "category", "-version").distinct("kind", "category")
    return list(_until(newest, at))


def list_tolerances(*, at: datetime | None = None) -> list[Tolerance]:
    """The versions in force."""
    scope = ("kind", "source", "field", "currency")
    return list(_until(Tolerance.objects.order_by(*scope, "-version").distinct(*scope), at))


def list_names(*, at: datetime | None = None) -> list[OutsideName]:
    """The declared alternates in force; those taken back are not among them."""
    scope = ("source", "what", "theirs")
    rows = _until(OutsideName.objects.order_by(*scope, "-version").distinct(*scope), at)
    return [row for row in rows if row.ours]


def write_off_limit(*, kind: str, source: str, currency: str) -> Decimal | None:
    """Up to which amount a difference may be written off: the source's own mark before that of any; None: not at all."""
    marks: Mapping[str, Decimal] = {
        row.source: row.amount
        for row in list_tolerances()
        if (row.kind, row.field, row.currency) == (kind, WRITE_OFF, currency)
    }
    return marks.get(source, marks.get(""))


def get_rules(*, kind: str, source: str) -> Rules:
    """The tolerances a run of this kind and source is judged by: the source's own stand over those for any."""
    rows = [row for row in list_tolerances() if row.kind == kind and row.source in ("", source)]
    tolerances = {(row.field, row.currency): row.amount for row in sorted(rows, key=lambda row: row.source)}
    return Rules(tolerances, sum(row.version for row in rows))


Row = TypeVar("Row", BreakPolicy, Tolerance, OutsideName)


def _until(rows: QuerySet[Row], at: datetime | None) -> QuerySet[Row]:
    return rows if at is None else rows.filter(recorded_at__lte=at)
