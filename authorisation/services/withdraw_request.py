"""Take back what waits for a second person: the maker does, or the subject went away."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.four_eyes import is_visible
from authorisation.domain.policy import policy_of
from authorisation.domain.principal import TRADE_DESK, Principal
from authorisation.locks import lock_request_row
from authorisation.selectors import facts_of
from authorisation.services._events import record
from authorisation.services._moving import save_closed
from journal.bulk import one_transaction
from kernel.errors import Conflict, NotFound, NotPermitted


def withdraw_request(*, actor: Principal, at: datetime, authorisation_id: UUID, reason: str = "") -> None:
    """Withdraw a open request, inside the caller's transaction.

    The maker may, our own processes may, and whoever may trade the desk it belongs to. Raises NotFound, NotPermitted
    NOT_THE_MAKER or REVIEW_STAYS, Conflict AUTHORISATION_CLOSED; then nothing changed.
    """
    with one_transaction():
        row = lock_request_row(authorisation_id)
        facts = facts_of(row)
        if not actor.is_process and not is_visible(facts, actor):
            raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
        may = actor.is_process or facts.maker_id == actor.user_id or facts.desk_id in actor.granted(TRADE_DESK)
        if not may:
            raise NotPermitted("NOT_THE_MAKER", "Only the maker, or who trades the desk, may withdraw it.")
        if not actor.is_process and policy_of(facts.kind).afterwards:
            raise NotPermitted("REVIEW_STAYS", "What was done is looked at; the question is not taken back.")
        if not facts.is_open:
            raise Conflict("AUTHORISATION_CLOSED", "It is closed already.", {"state": facts.state})

        row.withdraw()

        save_closed(row, outcome=reason, at=at)
        record(
            stream=f"authorisation:{row.id}",
            kind="AuthorisationWithdrawn",
            actor=actor,
            at=at,
            payload={"reason": reason},
        )
