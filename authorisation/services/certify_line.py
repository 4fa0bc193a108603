"""A reviewer's word on one line of an access review: it is still needed, or it must end with the close."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.locks import lock_review, lock_review_lines
from authorisation.permissions import require_reviewer
from authorisation.services._review_words import require_word, say, when_refused
from kernel.errors import NotFound


def certify_line(*, actor: Principal, at: datetime, review_id: UUID, number: int, verdict: str, reason: str) -> str:
    """``keep`` or ``remove``, with a reason; changed by saying the other. Returns the line's state.

    Raises NotPermitted (right, own line, given by the reviewer), NotFound (not the reviewer's), Invalid WORD_INVALID, Conflict
    REVIEW_NOT_OPEN; then nothing changed.
    """
    require_reviewer(actor)
    require_word(verdict, reason)
    with transaction.atomic():
        review = lock_review(review_id)
        lines = lock_review_lines(review_id, [number])
        if not lines:
            raise NotFound("REVIEW_LINE_UNKNOWN", "There is no such line that you may review.")
        refused = when_refused(review, lines[0], actor)
        if refused is not None:
            raise refused
        say(review, lines, verdict=verdict, reason=reason, actor=actor, at=at)
        return str(lines[0].state)
