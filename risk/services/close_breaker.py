"""A second person let a breaker go on: it closes, and every block that it imposed goes with it. Called by the release."""

from __future__ import annotations

from datetime import datetime

from authorisation.domain.principal import Principal
from journal.services.set_anomaly import set_anomaly
from kernel.errors import Conflict
from risk.domain.breakers import HALF_OPEN, source_of
from risk.domain.stops import BREAKER, kind_of
from risk.locks import lock_blocks, lock_breaker
from risk.models import Block, Breaker
from risk.services._events import record
from risk.services.trip_breaker import breaker_anomaly

NOT_WELL = "It goes on only once its venue has answered a question since it opened."


def is_well(breaker: Breaker) -> bool:
    """Half open, and the venue has answered since."""
    return breaker.state == HALF_OPEN and breaker.answered_at is not None


def why_not_well(source: str) -> str:
    """Why a breaker's block may not be lifted yet; empty for any other block. Its row is locked before the block is."""
    if kind_of(source) != BREAKER:
        return ""
    _, kind, subject = source.split(":", 2)
    return "" if is_well(lock_breaker(kind=kind, subject=subject)) else NOT_WELL


def close_breaker(*, actor: Principal, at: datetime, source: str, reason: str) -> None:
    """Inside the caller's transaction. Raises Conflict BREAKER_NOT_WELL unless the venue has answered since it opened."""
    _, kind, subject = source.split(":", 2)
    breaker = lock_breaker(kind=kind, subject=subject)
    if not is_well(breaker):
        raise Conflict("BREAKER_NOT_WELL", NOT_WELL)
    breaker.resume()
    breaker.moved_at, breaker.next_try_at, breaker.openings = at, None, 0
    breaker.save()
    own = Block.objects.filter(source=source_of(kind, subject), lifted_at__isnull=True).order_by("scope", "scope_id")
    for scope, scope_id in own.values_list("scope", "scope_id"):
        block = lock_blocks(scope=scope, scope_id=scope_id, source=source)
        if block is not None:
            block.lifted_by, block.lifted_at = actor.actor, at
            block.save(update_fields=["lifted_by", "lifted_at"])
    payload = {"kind": kind, "subject": subject, "reason": reason}
    record(stream=f"risk:breaker:{kind}:{subject}", kind="BreakerClosed", actor=actor, at=at, payload=payload)
    anomaly = breaker_anomaly(breaker, f"{actor.username} let {subject} go on: {breaker.answer}")
    set_anomaly(anomaly=anomaly, wrong=False, actor=actor.actor, at=at)
