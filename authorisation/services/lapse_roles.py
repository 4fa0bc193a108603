"""End roles that were lent until a time. One that nobody else holds and somebody must is kept, and a person told."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import process_principal
from authorisation.locks import lock_due_terms
from authorisation.services.leave_role import leave_role
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from kernel.errors import Refused


def lapse_roles(*, at: datetime, limit: int = 100) -> int:
    """End up to ``limit`` that are due at ``at``, the oldest first; returns how many ended."""
    actor, ended = process_principal("lapse"), 0
    with transaction.atomic():
        for term in lock_due_terms(at=at, limit=limit):
            try:
                with transaction.atomic():
                    leave_role(actor=actor, at=at, user=term.user, roles=[term.role])
            except Refused as refused:
                _tell(term.user.username, term.role.name, refused.sentence, at)
                continue
            term.ended_at = at
            term.save(update_fields=["ended_at"])
            ended += 1
    return ended


def _tell(username: str, role: str, sentence: str, at: datetime) -> None:
    raise_anomaly(
        anomaly=Anomaly(
            kind="ROLE_NOT_LAPSED",
            severity=Severity.HIGH,
            subject_type="user",
            subject_id=username,
            sentence=f"{username} keeps the role {role} past its time. {sentence}",
            dedupe_key=f"role-term:{username}:{role}",
            evidence={"user": username, "role": role},
        ),
        actor="process:lapse",
        at=at,
    )
