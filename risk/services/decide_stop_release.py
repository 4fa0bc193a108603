"""A second person's word on a stop: approved, its block is lifted in the same transaction. It reopens the gate and no more.

The second person is of risk or compliance (the kind's right), not who asked, and not who pressed.
"""

from __future__ import annotations

from datetime import datetime

from authorisation.domain.four_eyes import APPROVE
from authorisation.domain.principal import Principal
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.crash_points import crash_point
from kernel.errors import NotPermitted
from risk.domain.stops import BREAKER, RELEASED_KINDS, kind_of
from risk.locks import lock_blocks
from risk.models import Block
from risk.services._events import record
from risk.services.close_breaker import close_breaker, why_not_well
from risk.services.engage_kill_switch import ENGAGED
from risk.services.request_stop_release import KIND


def _load(asking: Asking) -> Block | None:
    asked = asking.payload
    block = lock_blocks(scope=asked["scope"], scope_id=asked["scope_id"], source=asked["source"])
    return block if block is not None and str(block.id) == asking.facts.subject_id else None


def _not_who_pressed(asking: Asking, block: Block | None) -> None:
    if asking.verdict == APPROVE and asking.payload["pressed_by_id"] == asking.actor.user_id:
        raise NotPermitted("PRESSED_IT", "You pressed this stop; somebody else must let it go.")


def _apply(asking: Asking, block: Block | None) -> Applied:
    asked = asking.payload
    if block is None:
        raise NotApplied("That stop does not stand any more.")
    not_well = why_not_well(asked["source"])
    if not_well:
        raise NotApplied(not_well)
    _lift(block, asking.actor, asking.at, asked["name"], asked["reason"])
    if kind_of(block.source) == BREAKER:
        close_breaker(actor=asking.actor, at=asking.at, source=block.source, reason=asked["reason"])
    crash_point("kill.released")
    return Applied(f"New orders of {asked['name']} are taken again; nothing resumed by itself.")


def _decline(asking: Asking, block: Block | None) -> str:
    return f"{asking.payload['name']} stays stopped."


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


_SUBJECT = Subject(KIND, _load, _apply, _decline, guard=_not_who_pressed)
decide_stop_release = _SUBJECT.decide
"""Approve or decline. Who pressed may not let go either (PRESSED_IT).

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
