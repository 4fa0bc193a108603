"""What time makes of access reviews: warnings before grants end unreviewed, reviews nobody closes or opens, closes nobody decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Min

from authorisation.domain.access_review import EVERY, WARN_BEFORE
from authorisation.domain.principal import process_principal
from authorisation.domain.review_transitions import CLOSED, CLOSING, HELD, KEPT, UNREVIEWED
from authorisation.domain.transitions import DECLINED, LAPSED, NOT_APPLIED, WITHDRAWN
from authorisation.locks import lock_review
from authorisation.models import AccessReview, AuthorisationRequest, ReviewLine, User
from authorisation.selectors.access_world import get_access_world, get_origins
from authorisation.selectors.reviews import count_states, line_of
from authorisation.services._review_closing import PROCESS, go_on, held_anomaly
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly

NOT_APPROVED = (DECLINED, LAPSED, WITHDRAWN, NOT_APPLIED)


def watch_reviews(*, at: datetime) -> int:
    """Go on with reviews whose close was not approved; raise and clear what there is to say. Returns how many things changed."""
    actor = process_principal(PROCESS)
    changed = _go_on_where_not_approved(at)
    matters = [*_due(at), *_held(at), _missing(at)]
    return changed + sum(set_anomaly(anomaly=one, wrong=wrong, actor=actor.actor, at=at) for one, wrong in matters)


def _go_on_where_not_approved(at: datetime) -> int:
    """The request was withdrawn, or nobody decided in time."""
    done = 0
    for review_id, request_id in AccessReview.objects.filter(state=CLOSING).values_list("id", "close_request"):
        state = AuthorisationRequest.objects.filter(pk__in=[request_id]).values_list("state", flat=True).first()
        if state not in NOT_APPROVED:
            continue
        with transaction.atomic():
            review = lock_review(review_id)
            if review.state == CLOSING and review.close_request == request_id:
                go_on(review, why=str(state), actor=process_principal(PROCESS), at=at)
                done += 1
    return done


def _due(at: datetime) -> Iterator[tuple[Anomaly, bool]]:
    """For each review a warning a week and a day before its deadline, and one while it is over; settled when nothing waits."""
    latest = max(EVERY, *WARN_BEFORE)
    reviews = list(AccessReview.objects.exclude(state=CLOSED, closed_at__lt=at - latest).order_by("opened_at", "id"))
    counts = count_states([review.id for review in reviews])
    for review in reviews:
        waiting = counts.get(review.id, {}).get(UNREVIEWED, 0)
        is_over = at >= review.deadline_at
        standing = review.state != CLOSED
        for before in WARN_BEFORE:
            wrong = standing and not is_over and waiting > 0 and at >= review.deadline_at - before
            yield _warning(review, f"due-{before.days}", waiting, urgent=before == min(WARN_BEFORE), wrong=wrong)
        yield _warning(review, "overdue", waiting, urgent=True, wrong=standing and is_over)


def _warning(review: AccessReview, what: str, waiting: int, *, urgent: bool, wrong: bool) -> tuple[Anomaly, bool]:
    if not wrong:
        sentence = "The access review has been closed, or nothing in it waits."
    elif what == "overdue":
        sentence = f"The access review's deadline is over; {waiting} unreviewed lines end with its close. Close it."
    else:
        sentence = f"{waiting} lines of the access review end with its close on {review.deadline_at:%d %B %Y %H:%M} UTC unless kept."
    anomaly = Anomaly(
        kind="ACCESS_REVIEW_OVERDUE" if what == "overdue" else "ACCESS_REVIEW_DUE",
        severity=Severity.HIGH if urgent else Severity.MEDIUM,
        subject_type="access_review",
        subject_id=str(review.id),
        sentence=sentence,
        dedupe_key=f"access_review:{review.id}:{what}",
        evidence={"unreviewed": waiting, "deadline_at": review.deadline_at.isoformat()},
    )
    return anomaly, wrong


def _held(at: datetime) -> Iterator[tuple[Anomaly, bool]]:
    """A line that could not end: settled when it ended after all, or a later review kept it."""
    rows = list(ReviewLine.objects.filter(state=HELD, review__state=CLOSED).order_by("review__closed_at", "number"))
    if not rows:
        return
    world = get_access_world(at=at)
    origins = get_origins(world)
    kept = set(
        ReviewLine.objects.filter(
            state=KEPT, review__state=CLOSED, origin__in=[row.origin for row in rows if row.origin]
        ).values_list("origin", "kind", "role", "user_id", "right", "on", "key_id")
    )
    for row in rows:
        holding = line_of(row).holding
        origin = origins.get(holding)
        same = world.has(holding) and (origin.event_id if origin else None) == row.origin
        named = (row.origin, row.kind, row.role, row.user_id, row.right, row.on, row.key_id)
        wrong = same and named not in kept
        yield held_anomaly(row, "" if wrong else f"{row.title}: it has ended, or a later review kept it."), wrong


def _missing(at: datetime) -> tuple[Anomaly, bool]:
    """No review of everything was closed for a year; a new house has a year for its first."""
    closed = AccessReview.objects.filter(state=CLOSED, scope=AccessReview.Scope.ALL).order_by("-closed_at")
    last = closed.values_list("closed_at", flat=True).first()
    since = last or User.objects.aggregate(first=Min("date_joined"))["first"]
    wrong = since is not None and at - since > EVERY
    sentence = f"No access review of everybody has been closed for {EVERY.days} days. Open one."
    anomaly = Anomaly(
        kind="ACCESS_REVIEW_MISSING",
        severity=Severity.MEDIUM,
        subject_type="access_review",
        subject_id="all",
        sentence=sentence if wrong else "An access review of everybody was closed.",
        dedupe_key="access_review:missing",
        evidence={"since": since.isoformat() if since else None},
    )
    return anomaly, wrong
