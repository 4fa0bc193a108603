"""A second person's word on a stop: approved, its block is lifted in the same transaction. It reopens the gate and no more.

The second person is of risk or compliance (the kind's right), not who asked, and not who pressed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.four_eyes import APPROVE, is_visible, require_decidable, require_verdict
from authorisation.domain.principal import Principal
from authorisation.locks import lock_request
from authorisation.services.record_decision import record_decision
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.crash_points import crash_point
from kernel.errors import NotFound, NotPermitted
from risk.domain.stops import BREAKER, RELEASED_KINDS, kind_of
from risk.locks import lock_blocks
from risk.models import Block
from risk.services._events import record
from risk.services.close_breaker import close_breaker, why_not_well
from risk.services.engage_kill_switch import ENGAGED
from risk.services.request_stop_release import KIND


@dataclass(frozen=True, slots=True)
class ReleaseDecided:
    """``outcome`` is applied, not_applied or declined."""

    authorisation_id: UUID
    outcome: str
    sentence: str


def decide_stop_release(
    *,
    actor: Principal,
    at: datetime,
    authorisation_id: UUID,
    verdict: str,
    reason_code: str,
    reason: str,
    payload_hash: str,
) -> ReleaseDecided:
    """Approve or decline.

    Raises NotFound, NotPermitted (own request, own press, no right, not a person), Conflict (closed, changed), Invalid,
    Refused AUTHORISATION_EXPIRED; then nothing changed.
    """
    with transaction.atomic():
        require_verdict(verdict, reason_code, reason)
        facts = lock_request(authorisation_id)
        if facts.kind != KIND or not is_visible(facts, actor):
            raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
        require_decidable(facts, actor, at, payload_hash=payload_hash)
        asked = facts.payload
        if verdict == APPROVE and asked["pressed_by_id"] == actor.user_id:
            raise NotPermitted("PRESSED_IT", "You pressed this stop; somebody else must let it go.")
        not_well = why_not_well(asked["source"])
        block = lock_blocks(scope=asked["scope"], scope_id=asked["scope_id"], source=asked["source"])
        gone = block is None or str(block.id) != facts.subject_id
        obstacle = ("That stop does not stand any more." if gone else not_well) if verdict == APPROVE else ""
        record_decision(
            actor=actor,
            at=at,
            authorisation_id=authorisation_id,
            verdict=verdict,
            reason_code=reason_code,
            reason=reason,
            payload_hash=payload_hash,
            not_applied_because=obstacle,
        )
        if verdict == APPROVE and block is not None and not obstacle:
            _lift(block, actor, at, asked["name"], asked["reason"])
            if kind_of(block.source) == BREAKER:
                close_breaker(actor=actor, at=at, source=block.source, reason=asked["reason"])
        crash_point("kill.released")
    if verdict != APPROVE:
        return ReleaseDecided(authorisation_id, "declined", f"{asked['name']} stays stopped.")
    if obstacle:
        return ReleaseDecided(authorisation_id, "not_applied", obstacle)
    return ReleaseDecided(
        authorisation_id, "applied", f"New orders of {asked['name']} are taken again; nothing resumed by itself."
    )


def _lift(block: Block, actor: Principal, at: datetime, name: str, reason: str) -> None:
    block.lifted_by, block.lifted_at = actor.actor, at
    block.save(update_fields=["lifted_by", "lifted_at"])
    payload = {
        "stop_id": str(block.id),
        "scope": block.scope,
        "scope_id": block.scope_id,
        "source": block.source,
        "name": name,
        "reason": reason,
    }
    kind = RELEASED_KINDS[kind_of(block.source)]
    record(stream=f"risk:{block.scope}:{block.scope_id}", kind=kind, actor=actor, at=at, payload=payload)
    anomaly = Anomaly(
        kind=ENGAGED,
        severity=Severity.LOW,
        subject_type="stop",
        subject_id=str(block.id),
        sentence=f"{actor.username} released {name}.",
        dedupe_key=f"kill:{block.id}",
        evidence={"released_by": actor.username},
    )
    set_anomaly(anomaly=anomaly, wrong=False, actor=actor.actor, at=at)
