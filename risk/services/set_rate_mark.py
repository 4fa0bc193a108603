"""Write the next version of a mark for rates: what an approval applies, and what a house is set up with."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import Principal
from risk.domain.rates import RateMark
from risk.locks import lock_rate_marks
from risk.models import RateMark as RateMarkRow
from risk.services._events import record
from risk.services.request_rate_change import mark_payload


def set_rate_mark(
    *, actor: Principal, at: datetime, mark: RateMark, effective_from: datetime, set_by: str, reason: str
) -> int:
    """The version. ``set_by`` asked for it, ``actor`` approved it; called by ``decide_rate_change`` and by seeds alone."""
    with transaction.atomic():
        lock_rate_marks()
        row = RateMarkRow.objects.create(
            kind=mark.kind.value,
            subject=mark.subject,
            amount=mark.amount,
            seconds=mark.seconds,
            burst=mark.burst,
            share=mark.share,
            pause_s=mark.pause_s,
            effective_from=effective_from,
            reason=reason,
            set_by=set_by,
            approved_by=actor.actor,
            recorded_at=at,
        )
        payload = mark_payload(mark) | {
            "version": row.pk,
            "effective_from": effective_from.isoformat(),
            "set_by": set_by,
            "reason": reason,
        }
        record(stream=f"risk:rates:{mark.kind.value}", kind="RateMarkSet", actor=actor, at=at, payload=payload)
    return row.pk
