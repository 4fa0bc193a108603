"""Take back many requests at once, because the house ended what they were about: three statements for any number."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.locks import lock_request_rows
from authorisation.models import AuthorisationRequest
from authorisation.services._events import draft
from journal.bulk import one_transaction, update_rows
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Conflict, NotPermitted

_FIELDS = ("state", "outcome", "closed_at", "claimed_by_id", "claimed_until")


def withdraw_requests(*, actor: Principal, at: datetime, authorisation_ids: Collection[UUID], reason: str) -> None:
    """Withdraw open requests, inside the caller's transaction. For our own processes alone.

    Raises NotPermitted NOT_A_PROCESS, NotFound, Conflict AUTHORISATION_CLOSED; then none of them changed.
    """
    if not actor.is_process:
        raise NotPermitted("NOT_A_PROCESS", "Only a process of the house withdraws requests in bulk.")
    with one_transaction():
        rows = lock_request_rows(authorisation_ids)
        for row in rows:
            if row.state not in OPEN:
                raise Conflict("AUTHORISATION_CLOSED", "It is closed already.", {"state": row.state})
            row.withdraw()
        moved = [(row.id, row.state, reason, at, None, None) for row in rows]
        update_rows(AuthorisationRequest, moved, key=("id",), fields=_FIELDS)
        told = [_withdrawn(row.id, actor, at, reason) for row in rows]
        append_to_stream(drafts=told, at=at)


def _withdrawn(request_id: UUID, actor: Principal, at: datetime, reason: str) -> EventDraft:
    stream = f"authorisation:{request_id}"
    return draft(stream=stream, kind="AuthorisationWithdrawn", actor=actor, at=at, payload={"reason": reason})
