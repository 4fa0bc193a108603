"""Ask a second person for the close of an access review: from here on no line moves."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.access_review import KIND
from authorisation.domain.principal import Principal
from authorisation.domain.review_transitions import OPEN, UNREVIEWED
from authorisation.locks import lock_review, lock_review_lines
from authorisation.permissions import require_review_runner
from authorisation.selectors.reviews import words_digest
from authorisation.services._events import record
from authorisation.services.raise_request import RaisedRequest, raise_request
from kernel.errors import Conflict, Invalid, Refused


def ask_review_close(*, actor: Principal, at: datetime, review_id: UUID, reason: str) -> RaisedRequest:
    """Raise the request that a second person decides with ``decide_access_review``.

    Raises NotPermitted, NotFound REVIEW_UNKNOWN, Invalid, Conflict REVIEW_NOT_OPEN, Refused REVIEW_NOT_DUE while lines are
    unreviewed and the deadline is not over; then nothing changed.
    """
    require_review_runner(actor)
    if not reason.strip():
        raise Invalid("REASON_MISSING", "Say why it is closed now.", {"reason": ["Say why it is closed now."]})
    with transaction.atomic():
        review = lock_review(review_id)
        if review.state != OPEN:
            raise Conflict("REVIEW_NOT_OPEN", "The review is being closed or is closed.", {"state": str(review.state)})
        rows = lock_review_lines(review_id)
        counts = {state: sum(row.state == state for row in rows) for state in (UNREVIEWED, "removed")}
        if counts[UNREVIEWED] and at < review.deadline_at:
            sentence = f"{counts[UNREVIEWED]} lines are not reviewed, and the deadline is not over."
            raise Refused("REVIEW_NOT_DUE", sentence, {"unreviewed": counts[UNREVIEWED]})
        asked = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type="access_review",
            subject_id=str(review_id),
            subject_version=len(rows),
            payload={
                "review_id": str(review_id),
                "words_digest": words_digest(rows),
                "removed": counts["removed"],
                "unreviewed": counts[UNREVIEWED],
                "reason": reason.strip(),
            },
            summary=f"Close the access review: {counts['removed']} to be removed, {counts[UNREVIEWED]} unreviewed",
            correlation_id=review_id,
        )
        review.ask_close()
        review.close_request = asked.id
        review.save(update_fields=["state", "close_request"])
        record(
            stream=f"access_review:{review_id}",
            kind="AccessReviewCloseAsked",
            actor=actor,
            at=at,
            payload={"authorisation_id": str(asked.id), "reason": reason.strip(), **counts},
            correlation_id=review_id,
        )
    return asked
