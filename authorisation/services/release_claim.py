"""Let go of what one looked at, so that somebody else may decide it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.four_eyes import is_visible
from authorisation.domain.principal import Principal
from authorisation.locks import lock_request_row
from authorisation.selectors import facts_of
from authorisation.services._events import record
from authorisation.services._moving import drop_claim, save_open
from journal.bulk import one_transaction
from kernel.errors import Conflict, NotFound


def release_claim(*, actor: Principal, at: datetime, authorisation_id: UUID) -> None:
    """End one's own claim. Our own processes may end anybody's (somebody left the house).

    Raises NotFound, Conflict NOT_CLAIMED (it is not the actor's, or its time was over); then nothing changed.
    """
    with one_transaction():
        row = lock_request_row(authorisation_id)
        facts = facts_of(row, ())
        if not actor.is_process and not is_visible(facts, actor):
            raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
        if not facts.claim_at(at) or not (actor.is_process or facts.claimed_by_id == actor.user_id):
            raise Conflict("NOT_CLAIMED", "You do not hold it.")

        row.put_back()

        drop_claim(row)
        save_open(row)
        record(stream=f"authorisation:{row.id}", kind="AuthorisationReleased", actor=actor, at=at, payload={})
