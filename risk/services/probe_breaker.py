"""What is told of a breaker that is tried: half open, the question that left, and the answer that came."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from risk.domain.breakers import HALF_OPEN, OPEN
from risk.locks import lock_breaker
from risk.services._events import record
from risk.services.trip_breaker import ACTOR


def probe_breaker(
    *, kind: str, subject: str, at: datetime, asked: str | None = None, answer: str | None = None
) -> bool:
    """Open becomes half open; ``asked`` is the ClOrdID that was asked for, ``answer`` why it counts as well.

    False when it was none of the two any more.
    """
    with transaction.atomic():
        breaker = lock_breaker(kind=kind, subject=subject)
        if asked is None and answer is None:
            if breaker.state != OPEN:
                return False
            breaker.probe()
            breaker.moved_at = at
            breaker.forget_probe()
            told = "BreakerHalfOpen"
        elif breaker.state != HALF_OPEN:
            return False
        elif answer is not None:
            breaker.answered_at, breaker.answer = at, answer
            told = "BreakerAnswered"
        else:
            breaker.probed_at, breaker.probe_cl_ord_id = at, asked or ""
            told = "BreakerProbed"
        breaker.save()
        payload = {"kind": kind, "subject": subject, "asked": asked or "", "answer": answer or ""}
        record(stream=f"risk:breaker:{kind}:{subject}", kind=told, actor=ACTOR, at=at, payload=payload)
    return True
