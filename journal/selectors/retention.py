"""How long records are kept now, what is held, and what was archived."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from journal.domain.retention import CLASSES, HoldTerms, RecordClass, class_of
from journal.models import Archive, LegalHold, RetentionRule
from kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class ClassState:
    """A class of records and what rules it now; ``kept_days`` None: never removed."""

    record_class: RecordClass
    kept_days: int | None
    rule: RetentionRule | None


def kept_days(name: str, *, at: datetime, default: int | None = None) -> int:
    """Days records of a removable class are kept: the rule that has begun, else ``default``, else that of the class.

    Raises Invalid RETENTION_UNKNOWN; ValueError for what is never removed.
    """
    one = class_of(name)
    if one.default_days is None:
        raise ValueError(f"{name} is never removed")
    rule = _ruling(name, at)
    return rule.kept_days if rule is not None else (one.default_days if default is None else default)


def list_classes(*, at: datetime) -> list[ClassState]:
    """Every class with what rules it, in the order of the table."""
    states: list[ClassState] = []
    for one in CLASSES.values():
        rule = _ruling(one.name, at)
        days = rule.kept_days if rule is not None else one.default_days
        if rule is None and one.name == "price_ticks":
            days = settings.TICKS_KEPT_DAYS
        states.append(ClassState(one, days, rule))
    return states


def _ruling(name: str, at: datetime) -> RetentionRule | None:
    return (
        RetentionRule.objects.filter(record_class=name, effective_from__lte=at)
        .order_by("-effective_from", "-id")
        .first()
    )


def standing_holds() -> list[HoldTerms]:
    """What holds cover now, the earliest first."""
    rows = LegalHold.objects.filter(state=LegalHold.State.HELD).order_by("from_at", "id")
    return [HoldTerms(row.from_at, row.to_at, tuple(row.symbols)) for row in rows]


def list_holds(*, limit: int = 200) -> list[LegalHold]:
    """Holds, those that stand first, then the latest."""
    return list(LegalHold.objects.order_by("state", "-placed_at", "id")[:limit])


def get_hold(hold_id: UUID) -> LegalHold:
    """Raises NotFound HOLD_UNKNOWN."""
    found = LegalHold.objects.filter(pk=hold_id).first()
    if found is None:
        raise NotFound("HOLD_UNKNOWN", "There is no such legal hold.")
    return found


def list_archives(*, limit: int = 200) -> list[Archive]:
    """The latest archives first."""
    return list(Archive.objects.order_by("-from_seal")[:limit])


def archived_to() -> int:
    """The last seal that is archived; 0 when none is."""
    return Archive.objects.order_by("-to_seal").values_list("to_seal", flat=True).first() or 0
