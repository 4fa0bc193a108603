"""Say that one looks at it: for the minutes of its policy nobody else decides. The claim ends by itself, by its time."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from authorisation.domain.four_eyes import is_visible, require_checker
from authorisation.domain.policy import CLAIM_S
from authorisation.domain.principal import Principal
from authorisation.locks import lock_request_row
from authorisation.selectors import facts_of
from authorisation.services._events import record
from authorisation.services._moving import save_open
from journal.bulk import one_transaction
from kernel.errors import NotFound


def claim_request(*, actor: Principal, at: datetime, authorisation_id: UUID) -> datetime:
    """Until when it is the actor's; claiming again begins anew. Only for whoever may decide it now.

    Raises as a decision does (CLAIMED_BY_OTHER while somebody else's claim holds); then nothing changed.
    """
    with one_transaction():
        row = lock_request_row(authorisation_id)
        facts = facts_of(row)
        if not is_visible(facts, actor):
            raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
        require_checker(facts, actor, at)

        row.claim()

        until = min(at + timedelta(seconds=row.policy.claim_s if row.policy else CLAIM_S), row.expires_at)
        row.claimed_by_id, row.claimed_until = actor.user_id, until
        save_open(row)
        record(
            stream=f"authorisation:{row.id}", kind="AuthorisationClaimed", actor=actor, at=at, payload={"until": until}
        )
        return until
