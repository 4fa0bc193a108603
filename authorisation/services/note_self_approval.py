"""Keep that somebody tried to decide their own request: refused, told to whoever reads the log, counted for compliance."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from authorisation import security_log
from authorisation.domain.principal import Principal
from authorisation.services._events import record
from journal.bulk import one_transaction

KIND = "SelfApprovalRefused"


def note_self_approval(*, actor: Principal, at: datetime, authorisation_id: UUID, verdict: str) -> None:
    """One event in the stream of the request, in a transaction of its own: the refused decision was rolled back."""
    security_log.write(
        "SELF_APPROVAL_REFUSED", user=actor.actor, level=logging.WARNING, authorisation_id=authorisation_id
    )
    with one_transaction():
        record(
            stream=f"authorisation:{authorisation_id}", kind=KIND, actor=actor, at=at,
            payload={"verdict": verdict, "person_id": actor.person_id},
        )  # fmt: skip
