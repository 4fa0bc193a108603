"""Take a snapshot of who has what and ask reviewers, line by line, what is still needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from authorisation.domain.access_review import LONGEST, MOST_LINES, SCOPES, SHORTEST
from authorisation.domain.principal import REVIEW_ACCESS, Principal
from authorisation.models import AccessReview, Desk, ReviewAssignment, ReviewLine
from authorisation.permissions import require_review_runner
from authorisation.selectors.access_world import get_access_world
from authorisation.services._events import record
from authorisation.services._review_lines import LINE_FIELDS, Scope, Snapshot
from journal.bulk import insert_rows
from kernel.canonical import payload_hash
from kernel.errors import Conflict, Invalid, NotFound, Refused
from kernel.ids import new_id

Reviewers = Mapping[int | None, Collection[int]]


@dataclass(frozen=True, slots=True)
class OpenedReview:
    """The review and how many lines wait for a word."""

    id: UUID
    lines: int


def open_review(
    *,
    actor: Principal,
    at: datetime,
    scope: str,
    scope_name: str,
    deadline_at: datetime,
    reviewers: Reviewers,
    reason: str,
) -> OpenedReview:
    """Open a review of ``all``, of a ``desk`` (its code) or of a ``role`` (its name). ``reviewers`` are ids by desk id, of lines of
    no desk under None.

    Raises NotPermitted, Invalid REVIEW_INVALID, NotFound, Conflict REVIEW_OPEN (the same scope is under review), Refused
    REVIEWER_MISSING (a line nobody of them may review), REVIEW_EMPTY, REVIEW_TOO_LARGE; then nothing changed.
    """
    require_review_runner(actor)
    _require_sound(scope=scope, deadline_at=deadline_at, at=at, reason=reason)
    with transaction.atomic():
        world = get_access_world(at=at)
        for user_id in {one for group in reviewers.values() for one in group}:
            if user_id not in world.people_with(REVIEW_ACCESS):
                raise Invalid(
                    "REVIEW_INVALID", "A reviewer needs the right to review access.", {"reviewers": [str(user_id)]}
                )
        snapshot = Snapshot(world, reviewers, at)
        lines = list(snapshot.lines(_scope(scope, scope_name)))
        if not lines:
            raise Refused("REVIEW_EMPTY", "There is nothing to review in this scope.")
        if len(lines) > MOST_LINES:
            raise Refused("REVIEW_TOO_LARGE", f"{len(lines):,} lines are too many: review desk by desk.")
        review_id = new_id()
        rows = [snapshot.row(line, review_id) for line in lines]
        digest = payload_hash([row[2:20] for row in rows])
        _create(
            AccessReview(
                id=review_id,
                scope=scope,
                scope_name=scope_name if scope != "all" else "",
                reason=reason.strip(),
                opened_by_id=actor.user_id,
                opened_at=at,
                deadline_at=deadline_at,
                lines_total=len(lines),
                snapshot_digest=digest,
            )
        )
        ReviewAssignment.objects.bulk_create(
            ReviewAssignment(review_id=review_id, desk_id=desk_id, reviewer_id=user_id)
            for desk_id, users in reviewers.items()
            for user_id in sorted(set(users))
        )
        insert_rows(ReviewLine, rows, fields=LINE_FIELDS)
        record(
            stream=f"access_review:{review_id}",
            kind="AccessReviewOpened",
            actor=actor,
            at=at,
            payload={
                "scope": scope,
                "scope_name": scope_name,
                "reason": reason.strip(),
                "deadline_at": deadline_at.isoformat(),
                "lines": len(lines),
                "snapshot_digest": digest,
                "reviewers": {str(desk_id or ""): sorted(set(users)) for desk_id, users in reviewers.items()},
            },
            correlation_id=review_id,
        )
    return OpenedReview(review_id, len(lines))


def _require_sound(*, scope: str, deadline_at: datetime, at: datetime, reason: str) -> None:
    fields: dict[str, list[str]] = {}
    if scope not in SCOPES:
        fields["scope"] = ["Choose everybody, a desk or a role."]
    if not at + SHORTEST <= deadline_at <= at + LONGEST:
        fields["deadline"] = [f"The deadline lies between an hour and {LONGEST.days} days from now."]
    if not reason.strip():
        fields["reason"] = ["Say why access is reviewed."]
    if fields:
        raise Invalid("REVIEW_INVALID", "The review cannot be opened so.", fields)


def _scope(scope: str, name: str) -> Scope:
    if scope == "desk":
        desk = Desk.objects.filter(code=name).first()
        if desk is None:
            raise NotFound("DESK_UNKNOWN", "There is no such desk.")
        return Scope(desk_id=desk.pk)
    if scope == "role":
        if not Group.objects.filter(name=name).exists():
            raise NotFound("ROLE_UNKNOWN", "There is no such role.")
        return Scope(role=name)
    return Scope()


def _create(review: AccessReview) -> None:
    try:
        with transaction.atomic():
            review.save(force_insert=True)
    except IntegrityError as error:
        if "authorisation_one_review_at_a_time" not in str(error):
            raise
        raise Conflict("REVIEW_OPEN", "This is under review already; close that review first.") from error
