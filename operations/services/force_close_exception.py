"""End an exception though its matter still stands. Two people: the owner who worked on it, and another who ends it.

The matter comes back with the next raise, as a new item that bears a mark.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.domain.stepping_up import require_confirmed
from authorisation.models import User
from kernel.errors import NotPermitted, Refused
from operations.models import ExceptionItem
from operations.permissions import require_forcing
from operations.services._exception_acts import Acted, acting, told, wanted_text
from operations.services._exception_events import FORCED

LEAST = 10


def force_close_exception(*, actor: Principal, at: datetime, item_id: UUID, version: int | None, reason: str) -> Acted:
    """Raises as ``acting``, NotPermitted RIGHT_MISSING, STEP_UP_NEEDED, FORCE_BY_PROGRAM, Invalid TEXT_MISSING, Refused
    SECOND_LOOK_MISSING."""
    require_forcing(actor)
    require_confirmed(actor)
    if actor.is_service:
        raise NotPermitted("FORCE_BY_PROGRAM", "A program does not end what still stands.")
    reason = wanted_text(
        reason, least=LEAST, name="reason", sentence=f"Say in at least {LEAST} characters why it ends though it stands."
    )
    with acting(actor=actor, at=at, item_id=item_id, version=version) as item:
        why_not = why_not_forced(item, actor)
        if why_not:
            raise Refused("SECOND_LOOK_MISSING", why_not)
        item.force_close()
        item.closing_sentence, item.closed_at, item.ended_by_id = reason, at, actor.user_id
        item.next_at = item.snoozed_until = None
        payload = {"reason": reason, "ended_by": actor.user_id, "owner_id": item.owner_id}
        sentence = "Ended by force. Raised again, it comes back with a mark."
        return told(item, FORCED, payload, actor=actor, at=at, sentence=sentence)


def why_not_forced(item: ExceptionItem, actor: Principal) -> str:
    """Why this actor is no second look at the item; empty when it is."""
    if item.owner is None:
        return "Nobody has worked on it: somebody takes it first, another person ends it."
    owner: User = item.owner
    if actor.person_id in (owner.pk, owner.responsible_id):
        return "You own it: a second person looks at it before it ends by force."
    return ""
