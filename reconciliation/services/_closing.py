"""How a break is closed or accepted by people: with what it stops let go, its event, and its matter cleared, in one transaction."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from journal.services.set_anomaly import set_anomaly
from reconciliation.domain.effects import Stands
from reconciliation.models import Break
from reconciliation.services._effects import change_effect, record_break
from reconciliation.services._tell_breaks import break_anomaly


def close_break(
    item: Break,
    *,
    closed_as: str,
    sentence: str,
    request_id: UUID | None,
    actor: str,
    on_behalf_of: str = "",
    at: datetime,
) -> None:
    """The break is locked and not closed."""
    _let_go(item, at)
    item.close()
    item.closed_as, item.closing_sentence, item.closed_at, item.request_id = closed_as, sentence, at, request_id
    item.version += 1
    item.save(update_fields=["state", "closed_as", "closing_sentence", "closed_at", "request_id", "version"])
    told: dict[str, object] = {"closed_as": closed_as, "sentence": sentence, "request_id": str(request_id or "")}
    record_break(item, "BreakClosed", told, actor=actor, on_behalf_of=on_behalf_of, at=at)
    set_anomaly(anomaly=break_anomaly(item), wrong=False, actor=actor, at=at)


def accept_break(item: Break, *, until: date, request_id: UUID, actor: str, on_behalf_of: str, at: datetime) -> None:
    """A difference in time, until a day; the break is locked and open."""
    _let_go(item, at)
    item.accept()
    item.accepted_until, item.request_id = until, request_id
    item.version += 1
    item.save(update_fields=["state", "accepted_until", "request_id", "version"])
    told: dict[str, object] = {"until": until.isoformat(), "request_id": str(request_id)}
    record_break(item, "BreakAccepted", told, actor=actor, on_behalf_of=on_behalf_of, at=at)


def reopen_break(item: Break, *, actor: str, at: datetime) -> None:
    """The day has come; what its policy stops stands again with the next look."""
    until = item.accepted_until
    item.reopen()
    item.accepted_until = None
    item.version += 1
    item.save(update_fields=["state", "accepted_until", "version"])
    record_break(item, "BreakReopened", {"until": until.isoformat() if until else ""}, actor=actor, at=at)


def _let_go(item: Break, at: datetime) -> None:
    if item.effect:
        change_effect(item, Stands.NOTHING, at=at)
