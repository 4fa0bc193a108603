"""Approve several requests of one kind that were looked at together: each held to what was shown of it, each by itself.

One that has moved, or would not go through as it is, is left as it was and says why. The note of every decision names the
request they were made by together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authorisation.domain.four_eyes import APPROVE
from authorisation.domain.principal import Principal
from kernel.errors import Invalid, NotFound
from operations.domain.shown import Parts
from operations.selectors.review import review_approval
from operations.services.decide_approval import APPROVE_REASON
from operations.services.decide_many import LEFT, MOST, One, OneDecided, decide_many


@dataclass(frozen=True, slots=True)
class Looked:
    """A request, the hash of what was asked, and what was shown of it."""

    approval_id: UUID
    payload_hash: str
    shown: Parts


def decide_together(
    *, actor: Principal, at: datetime, kind: str, items: Sequence[Looked], reason: str, request_id: UUID
) -> tuple[OneDecided, ...]:
    """The outcome of each, in the order given. Not to be called inside a transaction.

    Raises Invalid MANY_INVALID (none, more than 20, one twice, a kind nobody decides here); then nothing changed.
    """
    if not items or len(items) > MOST or len({item.approval_id for item in items}) < len(items):
        raise Invalid("MANY_INVALID", f"Choose between 1 and {MOST} requests of one kind, each once.")
    left = {item.approval_id: why for item in items if (why := _why_left(actor, at, item)) is not None}
    tried = [One(item.approval_id, item.payload_hash) for item in items if item.approval_id not in left]
    note = f"{reason.strip()[:1900]} (one of {len(items)} approved together, request {request_id})".strip()
    done = (
        decide_many(
            actor=actor, at=at, kind=kind, items=tried, verdict=APPROVE, reason_code=APPROVE_REASON, reason=note
        )
        if tried
        else ()
    )
    outcomes = left | {one.authorisation_id: one for one in done}
    return tuple(outcomes[item.approval_id] for item in items)


def _why_left(actor: Principal, at: datetime, item: Looked) -> OneDecided | None:
    """What cannot be approved together with others: unseen, moved since it was shown, or with something against it."""
    try:
        review = review_approval(actor=actor, approval_id=item.approval_id, at=at, shown=item.shown)
    except NotFound as error:
        return OneDecided(item.approval_id, LEFT, error.sentence, error.code)
    if review.item.why_not:
        return OneDecided(item.approval_id, LEFT, review.item.why_not, "NOT_YOURS")
    if review.moves.binding:
        names = ", ".join(review.moves.binding)
        return OneDecided(item.approval_id, LEFT, f"It is not as you were shown: {names}.", "APPROVAL_MOVED")
    if review.why_not_together:
        return OneDecided(item.approval_id, LEFT, review.why_not_together, "NOT_GREEN")
    return None
