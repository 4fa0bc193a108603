"""Stop a strategy or source that traded too often without a person's word: a block that only a second person lifts."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import Principal
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from risk.domain.stops import EXECUTIONS
from risk.models import Block
from risk.services._blocks import impose

REPEATED_EXECUTIONS = "REPEATED_EXECUTIONS"


def stop_source(*, actor: Principal, at: datetime, scope: str, scope_id: str, reason: str) -> bool:
    """Stop it once; False where it is stopped already."""
    with transaction.atomic():
        stands = impose(actor=actor, at=at, scope=scope, scope_id=scope_id, source=EXECUTIONS, reason=reason)
        if not stands.changed:
            return False
        anomaly = Anomaly(
            kind=REPEATED_EXECUTIONS,
            severity=Severity.HIGH,
            subject_type="stop",
            subject_id=str(stands.block_id),
            sentence=reason,
            dedupe_key=f"kill:{stands.block_id}",  # cleared by the release, as that of every stop
            evidence={"scope": scope, "scope_id": scope_id},
        )
        raise_anomaly(anomaly=anomaly, actor=actor.actor, at=at)
    return True


def last_released(*, since: datetime) -> dict[tuple[str, str], datetime]:
    """When each source was last let go on, where that was after ``since``."""
    released = Block.objects.filter(source=EXECUTIONS, lifted_at__gt=since).order_by("lifted_at", "id")
    return {(block.scope, block.scope_id): block.lifted_at for block in released if block.lifted_at is not None}
