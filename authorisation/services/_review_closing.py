"""How a close carries out its plan, and how a review goes on when its close was not approved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from django.apps import apps
from django.contrib.auth.models import Group
from django.db import transaction

from authorisation.domain.access_review import Outcome
from authorisation.domain.holdings import Holding, HoldingKind
from authorisation.domain.principal import Principal, process_principal
from authorisation.domain.review_transitions import ENDED, GONE, HELD, LAPSED
from authorisation.models import AccessReview, ReviewLine, User
from authorisation.selectors.reviews import outcome_digest
from authorisation.services._events import record
from authorisation.services.leave_role import leave_role
from authorisation.services.revoke_access import revoke_access
from authorisation.services.revoke_api_key import revoke_api_key
from authorisation.services.set_role_rights import set_role_rights
from journal.bulk import update_rows
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.errors import InvariantBroken, OmsError

PROCESS = "access-review"


def carry_out(
    review: AccessReview, rows: Iterable[ReviewLine], plan: Iterable[Outcome], *, checker: Principal, at: datetime
) -> None:
    """End what the plan ends, through the services that everybody uses, and write every line's end. The review is closed.

    A service that refuses to end a grant keeps it: the line is held, and somebody owns that.
    """
    actor = replace(process_principal(PROCESS), on_behalf_of=checker.actor)
    because = f"access review {review.id}"
    by_number = {row.number: row for row in rows}
    for outcome in plan:
        row = by_number[outcome.line.number]
        state, row.outcome = outcome.state, outcome.sentence
        if outcome.ends:
            try:
                with transaction.atomic():
                    _END[outcome.line.holding.kind](outcome.line.holding, actor, at, because)
            except OmsError as error:
                state, row.outcome = HELD, error.sentence
        _move(row, state)
        if state == HELD:
            set_anomaly(anomaly=held_anomaly(row), wrong=True, actor=actor.actor, at=at)
    moved = [(row.id, str(row.state), row.outcome) for row in by_number.values()]
    update_rows(ReviewLine, moved, key=("id",), fields=("state", "outcome"))
    review.close()
    review.closed_at, review.closed_by_id = at, checker.user_id
    review.outcome_digest = outcome_digest(by_number.values())
    review.save(update_fields=["state", "closed_at", "closed_by", "outcome_digest"])
    counts: dict[str, int] = {}
    for row in by_number.values():
        counts[str(row.state)] = counts.get(str(row.state), 0) + 1
    record(
        stream=f"access_review:{review.id}",
        kind="AccessReviewClosed",
        actor=checker,
        at=at,
        payload={
            "authorisation_id": str(review.close_request),
            "counts": counts,
            "outcome_digest": review.outcome_digest,
            "ended": [row.number for row in by_number.values() if row.state in (ENDED, LAPSED)],
            "held": [row.number for row in by_number.values() if row.state == HELD],
            "gone": [row.number for row in by_number.values() if row.state == GONE],
        },
        correlation_id=review.id,
    )


def go_on(review: AccessReview, *, why: str, actor: Principal, at: datetime) -> None:
    """The close was not approved: lines may move again."""
    review.reopen()
    review.save(update_fields=["state"])
    payload = {"authorisation_id": str(review.close_request), "why": why}
    stream = f"access_review:{review.id}"
    record(stream=stream, kind="AccessReviewReopened", actor=actor, at=at, payload=payload, correlation_id=review.id)


def held_anomaly(row: ReviewLine, sentence: str = "") -> Anomaly:
    """The matter of a line that had to end and could not."""
    return Anomaly(
        kind="ACCESS_HELD",
        severity=Severity.HIGH,
        subject_type="access_review",
        subject_id=str(row.review_id),
        sentence=sentence
        or f"{row.title}: the review wanted it ended, and it stands. {row.outcome} Give it to another, then end it.",
        dedupe_key=f"access_review:{row.review_id}:held:{row.number}",
        evidence={"number": row.number, "title": row.title},
    )


def _move(row: ReviewLine, state: str) -> None:
    if state == ENDED:
        row.end()
    elif state == LAPSED:
        row.lapse()
    elif state == HELD:
        row.hold()
    elif state == GONE:
        row.vanish()


def _leave(holding: Holding, actor: Principal, at: datetime, because: str) -> None:
    user, role = User.objects.get(pk=holding.user_id), Group.objects.get(name=holding.role)
    leave_role(actor=actor, at=at, user=user, roles=[role], because=because)


def _drop_right(holding: Holding, actor: Principal, at: datetime, because: str) -> None:
    role = Group.objects.get(name=holding.role)
    left = set(role.permissions.values_list("codename", flat=True)) - {holding.right}
    set_role_rights(actor=actor, at=at, role=role, rights=left, because=because)


def _revoke(holding: Holding, actor: Principal, at: datetime, because: str) -> None:
    label, _, pk = holding.on.partition(":")
    item = apps.get_model(label)._default_manager.filter(pk=pk).first()
    if item is None:
        raise InvariantBroken("GRANT_WITHOUT_OBJECT", f"What {holding.role} may {holding.right} on is no longer there.")
    role = Group.objects.get(name=holding.role)
    revoke_access(actor=actor, at=at, group=role, right=holding.right, objects=[item], because=because)


def _revoke_key(holding: Holding, actor: Principal, at: datetime, because: str) -> None:
    if holding.key_id is not None:
        revoke_api_key(actor=actor, at=at, key_id=holding.key_id, because=because)


_END: dict[HoldingKind, Callable[[Holding, Principal, datetime, str], None]] = {
    HoldingKind.MEMBER: _leave,
    HoldingKind.ROLE_RIGHT: _drop_right,
    HoldingKind.GRANT: _revoke,
    HoldingKind.API_KEY: _revoke_key,
}
