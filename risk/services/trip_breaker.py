"""Open a circuit breaker: what adds risk is blocked where it watches, and a person is told. Once, however often it is seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.crash_points import crash_point
from risk.domain.breakers import HALF_OPEN, OPEN, source_of
from risk.locks import lock_breaker
from risk.models import Breaker
from risk.services._blocks import impose
from risk.services._events import record

ACTOR = process_principal("breaker")
BREAKER_OPEN = "BREAKER_OPEN"


def trip_breaker(
    *, kind: str, subject: str, scopes: Sequence[tuple[str, str]], cause: str, pause: timedelta, at: datetime
) -> bool:
    """Closed or half open becomes open. ``scopes`` are what it blocks. False when it was open already."""
    with transaction.atomic():
        breaker = lock_breaker(kind=kind, subject=subject)
        if breaker.state == OPEN:
            return False
        again = breaker.state == HALF_OPEN
        (breaker.reopen if again else breaker.trip)()
        breaker.openings += 1
        breaker.since = breaker.since if again else at
        breaker.moved_at, breaker.next_try_at, breaker.cause = at, at + pause, cause
        breaker.forget_probe()
        breaker.save()
        for scope, scope_id in scopes:
            source = source_of(kind, subject)
            impose(actor=ACTOR, at=at, scope=scope, scope_id=scope_id, source=source, reason=cause)
        payload = {"kind": kind, "subject": subject, "cause": cause, "next_try_at": (at + pause).isoformat()}
        event = "BreakerReopened" if again else "BreakerOpened"
        record(stream=f"risk:breaker:{kind}:{subject}", kind=event, actor=ACTOR, at=at, payload=payload)
        set_anomaly(anomaly=breaker_anomaly(breaker, f"{subject}: {cause}"), wrong=True, actor=ACTOR.actor, at=at)
        crash_point("breaker.tripped")
    return True


def breaker_anomaly(breaker: Breaker, sentence: str) -> Anomaly:
    """The matter that stands while the breaker does not trade."""
    return Anomaly(
        kind=BREAKER_OPEN,
        severity=Severity.HIGH,
        subject_type="breaker",
        subject_id=f"{breaker.kind}:{breaker.subject}",
        sentence=sentence,
        dedupe_key=f"breaker:{breaker.kind}:{breaker.subject}",
        evidence={"cause": breaker.cause, "openings": breaker.openings},
    )
