"""A second person's word on the close of an access review, applied at once on the access of now."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from authorisation.domain.access_review import KIND
from authorisation.locks import lock_review, lock_review_lines, lock_rights
from authorisation.models import AccessReview, ReviewLine
from authorisation.selectors.reviews import plan_review_close, words_digest
from authorisation.services._review_closing import carry_out, go_on
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject


@dataclass(frozen=True, slots=True)
class _Case:
    """The review with all its lines, locked."""

    review: AccessReview
    rows: list[ReviewLine]


def _load(asking: Asking) -> _Case:
    review = lock_review(UUID(asking.facts.subject_id))
    return _Case(review, lock_review_lines(review.id))


def _apply(asking: Asking, case: _Case) -> Applied:
    if words_digest(case.rows) != asking.payload["words_digest"]:
        raise NotApplied("The lines are not what the close was asked for; ask for it again.")
    lock_rights()  # so that two changes at once cannot both think that the other leaves a holder
    plan = plan_review_close(case.rows, at=asking.at)
    carry_out(case.review, case.rows, plan.outcomes, checker=asking.actor, at=asking.at)
    return Applied(f"The review is closed: {len(plan.ending)} grants have ended.")


def _decline(asking: Asking, case: _Case) -> str:
    go_on(case.review, why=f"declined: {asking.reason.strip()}", actor=asking.actor, at=asking.at)
    return "The review goes on; nothing has ended."


def _give_up(asking: Asking, case: _Case, why: str) -> None:
    review = lock_review(case.review.id)  # as it stands once the attempt is undone
    go_on(review, why=why, actor=asking.actor, at=asking.at)


_SUBJECT = Subject(kind=KIND, load=_load, apply=_apply, decline=_decline, give_up=_give_up)
decide_access_review = _SUBJECT.decide
"""Approve: what was removed and what nobody reviewed ends, but for last holders. Decline: the review goes on.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
