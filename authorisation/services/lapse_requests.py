"""Close requests nobody decided in time. The subjects' rooms react in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import process_principal
from authorisation.locks import lock_expired_rows
from authorisation.services._events import record
from authorisation.services._moving import save_closed


@dataclass(frozen=True, slots=True)
class LapsedRequest:
    """A request that lapsed, and whose it was."""

    id: UUID
    kind: str
    subject_type: str
    subject_id: str
    payload: Mapping[str, Any]


def lapse_requests(*, at: datetime, limit: int = 200) -> tuple[LapsedRequest, ...]:
    """Lapse up to ``limit`` open requests whose time was over at ``at``; the oldest first."""
    actor = process_principal("lapse")
    with transaction.atomic():
        rows = lock_expired_rows(at=at, limit=limit)
        for row in rows:
            row.lapse()
            save_closed(row, outcome="", at=at)
            record(
                stream=f"authorisation:{row.id}",
                kind="AuthorisationLapsed",
                actor=actor,
                at=at,
                payload={"kind": row.kind, "subject_type": row.subject_type, "subject_id": row.subject_id},
            )
        return tuple(LapsedRequest(row.id, row.kind, row.subject_type, row.subject_id, row.payload) for row in rows)
