"""One door for every decision of a person: the same for the page, the API and many at once.

A decision is held to what its maker was shown. What has moved since is told instead of decided; then the room of the
subject runs everything again under lock, and has the last word.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.four_eyes import APPROVE, DECLINE
from authorisation.domain.principal import Principal
from authorisation.services.decide_request import Decided
from kernel.errors import Conflict, Invalid, NotFound
from operations.approving import KINDS
from operations.domain.shown import Parts
from operations.selectors.review import review_approval

APPROVE_REASON = "WITHIN_MANDATE"


def decide_approval(
    *,
    actor: Principal,
    at: datetime,
    approval_id: UUID,
    verdict: str,
    reason_code: str,
    reason: str,
    payload_hash: str,
    shown: Parts | None,
) -> Decided:
    """Approve or decline. ``shown`` is what the actor looked at; an approval needs it.

    Raises NotFound AUTHORISATION_UNKNOWN; Invalid VERDICT_UNKNOWN or SHOWN_MISSING; Conflict APPROVAL_MOVED with the
    names of what moved; and whatever the subject's room raises. Then nothing changed.
    """
    if verdict not in (APPROVE, DECLINE):
        raise Invalid("VERDICT_UNKNOWN", "Approve or decline.", {"verdict": ["Approve or decline."]})
    review = review_approval(actor=actor, approval_id=approval_id, at=at, shown=shown)
    known = KINDS.get(review.item.approval.kind)
    if known is None:
        raise NotFound("AUTHORISATION_UNKNOWN", "Nobody decides such a request here.")
    if verdict == APPROVE and not review.item.why_not:
        if shown is None:
            raise Invalid("SHOWN_MISSING", "Say what you looked at: a decision is held to what was shown.")
        if review.moves.binding:
            names = ", ".join(review.moves.binding)
            raise Conflict(
                "APPROVAL_MOVED",
                f"It is not as you were shown: {names}. Look again before you approve.",
                {"authorisation_id": approval_id, "moved": list(review.moves.binding)},
            )
    decided: Decided = known.decide(
        actor=actor,
        at=at,
        authorisation_id=approval_id,
        verdict=verdict,
        reason_code=APPROVE_REASON if verdict == APPROVE else reason_code,
        reason=reason.strip()[:2000],
        payload_hash=payload_hash,
    )
    return decided
