"""Press the kill switch: what adds risk in these scopes is refused from the commit on, and everybody who listens is told.

The press closes the wire first: it waits for the batch that a gateway is giving out (milliseconds), and from then on none
begins. So no new order of the scopes is on the wire after the press has committed. A gateway that is frozen with a batch
in hand is waited for no longer than it would itself let that batch live; ``drained`` says whether it had to be given up.
Nothing is canceled here: orders listens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from kernel.crash_points import crash_point
from kernel.errors import Invalid
from kernel.ids import new_id
from risk.domain.stops import KILL_SWITCH
from risk.locks import close_wire, lock_blocks
from risk.models import Block
from risk.permissions import ENGAGE_KILL_SWITCH, require_right, require_scope
from risk.services._events import record

ENGAGED = "KILL_SWITCH_ENGAGED"
MAX_REASON = 500
MAX_SCOPES = 20
WIRE_WAIT_MS = 3500  # longer than a gateway sends what it was given: after that it would send none of it


@dataclass(frozen=True, slots=True)
class Stop:
    """One scope's stop: ``changed`` is False when it stood already, and the press added nothing."""

    stop_id: UUID
    scope: str
    scope_id: str
    name: str
    engaged_at: datetime
    changed: bool


@dataclass(frozen=True, slots=True)
class PressResult:
    """The stops that stand now, in the order asked for; ``drained``: no batch was on its way when they were committed."""

    stops: tuple[Stop, ...]
    drained: bool


def engage_kill_switch(
    *, actor: Principal, at: datetime, scopes: Sequence[tuple[str, str]], reason: str
) -> PressResult:
    """Engage it for all of the (scope, scope_id) pairs, or, when one of them is wrong, for none.

    Raises NotPermitted RIGHT_MISSING, Invalid REASON_INVALID or SCOPE_INVALID, NotFound SCOPE_UNKNOWN; then nothing is
    done. Where it is engaged already it stays as it was.
    """
    require_right(actor, ENGAGE_KILL_SWITCH, "Your role may not press the kill switch.")
    if not reason.strip() or len(reason) > MAX_REASON:
        sentence = f"Say why, in at most {MAX_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    wanted = list(dict.fromkeys(scopes))
    if not 1 <= len(wanted) <= MAX_SCOPES:
        sentence = f"Name one to {MAX_SCOPES} scopes."
        raise Invalid("SCOPE_INVALID", sentence, {"scope": [sentence]})
    names = {pair: require_scope(actor, *pair) for pair in wanted}
    with transaction.atomic():
        drained = close_wire(wait_ms=WIRE_WAIT_MS)
        standing = {pair: lock_blocks(scope=pair[0], scope_id=pair[1], source=KILL_SWITCH) for pair in sorted(wanted)}
        stops = []
        for pair in wanted:
            block = standing[pair]
            if block is None:
                block = _impose(actor, at, pair, names[pair], reason.strip(), drained=drained)
            stops.append(Stop(block.id, *pair, names[pair], block.imposed_at, changed=standing[pair] is None))
        crash_point("kill.pressed")
    crash_point("kill.engaged")
    return PressResult(tuple(stops), drained)


def _impose(actor: Principal, at: datetime, pair: tuple[str, str], name: str, reason: str, *, drained: bool) -> Block:
    scope, scope_id = pair
    block = Block.objects.create(
        id=new_id(),
        scope=scope,
        scope_id=scope_id,
        source=KILL_SWITCH,
        reason=reason,
        imposed_by=actor.actor,
        imposed_by_user=actor.user_id or None,
        imposed_at=at,
    )
    payload = {
        "stop_id": str(block.id),
        "scope": scope,
        "scope_id": scope_id,
        "name": name,
        "reason": reason,
        "pressed_by": actor.username,
        "pressed_by_id": actor.user_id,
        "drained": drained,
    }
    record(stream=f"risk:{scope}:{scope_id}", kind="KillSwitchEngaged", actor=actor, at=at, payload=payload)
    anomaly = Anomaly(
        kind=ENGAGED,
        severity=Severity.CRITICAL,
        subject_type="stop",
        subject_id=str(block.id),
        sentence=f"{actor.username} stopped {name}: {reason}",
        dedupe_key=f"kill:{block.id}",
        evidence={"scope": scope, "scope_id": scope_id, "pressed_by": actor.username, "drained": drained},
    )
    raise_anomaly(anomaly=anomaly, actor=actor.actor, at=at)
    return block
