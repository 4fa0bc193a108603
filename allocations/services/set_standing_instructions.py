"""Write the next versions of standing instructions: what a second person approved, or the first ones of a house.

What was sent already keeps the version it was sent under; what waits takes the new one at its next look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allocations.domain.standing import StandingTerms, require_terms
from allocations.models import StandingInstruction
from allocations.permissions import require_setting_process
from authorisation.domain.principal import Principal
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id

KIND = "StandingInstructionSet"


@dataclass(frozen=True, slots=True)
class Setting:
    """Terms for an account; ``version`` is the next of its scope, ``request_id`` the request that was approved."""

    account_id: UUID
    terms: StandingTerms
    version: int = 1
    request_id: UUID | None = None


def set_standing_instructions(*, actor: Principal, at: datetime, settings: Sequence[Setting]) -> None:
    """Inside the caller's transaction, for our own processes alone; a version that is there already is an IntegrityError."""
    require_setting_process(actor)
    rows, drafts = [], []
    for one in settings:
        require_terms(one.terms)
        event_id, terms = new_id(), one.terms
        rows.append(
            StandingInstruction(
                account_id=one.account_id, mic=terms.mic, currency=terms.currency, place=terms.place, agent=terms.agent,
                safekeeping_account=terms.safekeeping_account, cash_account=terms.cash_account,
                effective_from=terms.effective_from, effective_to=terms.effective_to, version=one.version,
                ended=terms.ended, request_id=one.request_id, event_id=event_id, recorded_at=at,
            )
        )  # fmt: skip
        drafts.append(_draft(actor, at, event_id, one))
    StandingInstruction.objects.bulk_create(rows)
    append_to_stream(drafts=drafts, at=at)


def _draft(actor: Principal, at: datetime, event_id: UUID, one: Setting) -> EventDraft:
    return EventDraft(
        id=event_id,
        stream=f"standing:{one.account_id}",
        kind=KIND,
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=one.request_id or event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload={
            "account_id": str(one.account_id),
            "version": one.version,
            "request_id": str(one.request_id) if one.request_id else None,
            "terms": one.terms.to_json(),
        },
    )
