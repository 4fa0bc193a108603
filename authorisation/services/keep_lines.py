"""Keep many lines of an access review at once: only those nothing speaks against, each answered for itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.access_review import KEEP, MOST_AT_ONCE, why_not_in_bulk
from authorisation.domain.principal import Principal
from authorisation.locks import lock_review, lock_review_lines
from authorisation.permissions import require_reviewer
from authorisation.services._review_words import require_word, say, when_refused
from kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class KeptLine:
    """What came of one line; ``why_not`` is empty where it is kept now."""

    number: int
    why_not: str = ""


def keep_lines(
    *, actor: Principal, at: datetime, review_id: UUID, numbers: Collection[int], reason: str
) -> tuple[KeptLine, ...]:
    """Keep those of the lines that may be kept together; the others stay as they are and say why.

    Raises NotPermitted, Invalid WORD_INVALID or TOO_MANY_LINES, NotFound REVIEW_UNKNOWN.
    """
    require_reviewer(actor)
    require_word(KEEP, reason)
    if not 0 < len(set(numbers)) <= MOST_AT_ONCE:
        raise Invalid("TOO_MANY_LINES", f"Choose 1 to {MOST_AT_ONCE} lines.")
    with transaction.atomic():
        review = lock_review(review_id)
        lines = lock_review_lines(review_id, numbers)
        answers = {number: KeptLine(number, "There is no such line that you may review.") for number in set(numbers)}
        kept = []
        for line in lines:
            refused = when_refused(review, line, actor)
            why_not = refused.sentence if refused else why_not_in_bulk(conflicts=line.conflicts, dormant=line.dormant)
            answers[line.number] = KeptLine(line.number, why_not)
            if not why_not:
                kept.append(line)
        say(review, kept, verdict=KEEP, reason=reason, actor=actor, at=at)
    return tuple(answers[number] for number in sorted(answers))
