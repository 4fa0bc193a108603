"""What every word on a line has in common: who may say it, and how it is written down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from authorisation.domain.access_review import KEEP, REMOVE, why_not_reviewer
from authorisation.domain.principal import Principal
from authorisation.domain.review_transitions import OPEN
from authorisation.models import AccessReview, ReviewAssignment, ReviewLine, ReviewWord, User
from authorisation.selectors.reviews import line_of
from authorisation.services._events import draft
from journal.bulk import insert_rows, update_rows
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, OmsError
from kernel.ids import new_id

_WORD_FIELDS = ("id", "line_id", "reviewer_id", "verdict", "reason", "late", "said_at")


def require_word(verdict: str, reason: str) -> None:
    """Raise Invalid WORD_INVALID unless it is keep or remove, with a reason."""
    fields: dict[str, list[str]] = {}
    if verdict not in (KEEP, REMOVE):
        fields["verdict"] = ["Keep or remove."]
    if not reason.strip():
        fields["reason"] = ["Say why."]
    if fields:
        raise Invalid("WORD_INVALID", "The word on the line is incomplete.", fields)


def when_refused(review: AccessReview, line: ReviewLine, actor: Principal) -> OmsError | None:
    """Why this reviewer may not speak about this line now, or None."""
    assigned = ReviewAssignment.objects.filter(review=review, desk=line.desk, reviewer_id=actor.user_id)
    if not assigned.exists():
        return NotFound("REVIEW_LINE_UNKNOWN", "There is no such line that you may review.")
    roles = User.groups.through.objects.filter(user_id=actor.user_id).values_list("group__name", flat=True)
    why_not = why_not_reviewer(line_of(line), actor.user_id, set(roles))
    if why_not:
        return NotPermitted("NOT_YOUR_LINE", why_not)
    if review.state != OPEN:
        return Conflict("REVIEW_NOT_OPEN", "The review is being closed or is closed: no line moves any more.")
    return None


def say(
    review: AccessReview, lines: Sequence[ReviewLine], *, verdict: str, reason: str, actor: Principal, at: datetime
) -> None:
    """Write the word down for each line, inside the caller's transaction. A line that already stands so says it again."""
    wanted = "kept" if verdict == KEEP else "removed"
    for line in lines:
        if line.state != wanted:
            line.keep() if verdict == KEEP else line.remove()
    late, why = at > review.deadline_at, reason.strip()
    words = [(new_id(), line.id, actor.user_id, verdict, why, late, at) for line in lines]
    insert_rows(ReviewWord, words, fields=_WORD_FIELDS)
    moved = [(line.id, str(line.state), actor.user_id, at, why) for line in lines]
    update_rows(ReviewLine, moved, key=("id",), fields=("state", "said_by_id", "said_at", "said_why"))
    payload = {"verdict": verdict, "reason": why, "late": late}
    told = [
        draft(
            stream=f"access_review:{review.id}",
            kind="AccessLineReviewed",
            actor=actor,
            at=at,
            payload={**payload, "number": line.number, "title": line.title},
            correlation_id=review.id,
        )
        for line in lines
    ]
    append_to_stream(drafts=told, at=at)
