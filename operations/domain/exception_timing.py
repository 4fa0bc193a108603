"""When an item is due, when time alone moves it next, and where it stands in the queue. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from operations.domain.exception_kinds import Kind
from operations.domain.exception_rank import HEAD, harm, share_of, shown_severity
from operations.domain.working_clock import WorkClock


@dataclass(frozen=True, slots=True)
class Timing:
    """``next_at``: None when nothing more comes by time alone."""

    due_at: datetime
    next_at: datetime | None
    harm: Decimal


def timing_of(
    kind: Kind,
    *,
    severity: str,
    ages_from: datetime,
    clock: WorkClock,
    level: int = 0,
    exposure: Decimal | None = None,
    snoozed_until: datetime | None = None,
) -> Timing:
    """The times of an item whose severity, level and exposure are these.

    A snooze ends when it said, however the clock stands: a person chose that time.
    """
    sla = kind.sla.of(severity)
    due_at = clock.deadline(ages_from, sla)
    rises_at = clock.deadline(ages_from, share_of(sla, level + 1)) if level < HEAD else None
    moments = [moment for moment in (rises_at, snoozed_until) if moment is not None]
    figure = harm(severity=shown_severity(severity, level), exposure=exposure, due_at=due_at)
    return Timing(due_at, min(moments, default=None), figure)


def stated_exposure(evidence: dict[str, object]) -> tuple[Decimal | None, str]:
    """Amount and currency that an anomaly states as ``exposure`` and ``currency``; nothing where it states none or no number."""
    text, currency = evidence.get("exposure"), evidence.get("currency")
    if not isinstance(text, str) or not isinstance(currency, str) or len(currency) != 3:
        return None, ""
    try:
        amount = Decimal(text)
    except ArithmeticError:
        return None, ""
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 20:
        return None, ""
    return amount, currency


def aged_since(kind: Kind, evidence: dict[str, object], *, event_at: datetime) -> datetime:
    """When the matter began: its event, or for a break the time its evidence states under ``since``, never later."""
    text = evidence.get("since")
    if kind.ages == "break" and isinstance(text, str):
        try:
            since = datetime.fromisoformat(text)
        except ValueError:
            return event_at
        if since.tzinfo is not None:
            return min(since, event_at)
    return event_at
