"""Reviews of who has what: a snapshot line by line, what reviewers said about each line, and what the close did.

Never deleted, never asked differently. Nobody's word counts on what is their own: a trigger on ``ReviewWord``.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django_fsm import FSMField, FSMModelMixin, transition

from authorisation.domain.review_transitions import (
    CLOSED,
    CLOSING,
    ENDED,
    GONE,
    HELD,
    KEPT,
    LAPSED,
    LINE_TRANSITIONS,
    OPEN,
    REMOVED,
    REVIEW_TRANSITIONS,
    sources,
)


class AccessReview(FSMModelMixin, models.Model):
    """One campaign. ``snapshot_digest`` is over its lines as they were found, ``outcome_digest`` over what the close made of them."""

    class State(models.TextChoices):
        OPEN = "open"
        CLOSING = "closing", "Waiting for a second person"
        CLOSED = "closed"

    class Scope(models.TextChoices):
        ALL = "all", "Everybody"
        DESK = "desk"
        ROLE = "role"

    id = models.UUIDField(primary_key=True)
    scope = models.CharField(max_length=4, choices=Scope.choices)
    scope_name = models.CharField(max_length=150, default="")
    reason = models.TextField()
    opened_by = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    lines_total = models.IntegerField()
    snapshot_digest = models.CharField(max_length=64)
    state = FSMField(max_length=8, choices=State.choices, default=State.OPEN, protected=True)
    close_request = models.UUIDField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey("authorisation.User", null=True, on_delete=models.PROTECT, related_name="+")
    outcome_digest = models.CharField(max_length=64, default="")

    class Meta:
        permissions: ClassVar = [
            ("review_access", "May say which access is still needed"),
            ("run_access_review", "May open access reviews and decide about their close"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["scope", "scope_name"],
                name="authorisation_one_review_at_a_time",
                condition=models.Q(state__in=["open", "closing"]),
            ),
        ]

    @transition(field=state, source=sources(REVIEW_TRANSITIONS, "ask_close"), target=CLOSING)
    def ask_close(self) -> None:
        """A second person is asked; lines stand still."""

    @transition(field=state, source=sources(REVIEW_TRANSITIONS, "reopen"), target=OPEN)
    def reopen(self) -> None:
        """The close was not approved."""

    @transition(field=state, source=sources(REVIEW_TRANSITIONS, "close"), target=CLOSED)
    def close(self) -> None:
        """A second person approved."""


class ReviewAssignment(models.Model):
    """Who reviews the lines of a desk, or with no desk the lines of none. Only added to."""

    review = models.ForeignKey(AccessReview, on_delete=models.PROTECT, related_name="assignments")
    desk = models.ForeignKey("authorisation.Desk", null=True, on_delete=models.PROTECT, related_name="+")
    reviewer = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["review", "desk", "reviewer"], name="authorisation_assigned_once", nulls_distinct=False
            ),
        ]


class ReviewLine(FSMModelMixin, models.Model):
    """One holding as it was when the review opened (see ``domain/holdings.py``); 0 and empty where it has no such part.

    ``person`` is whose it is or who answers for it, ``barred`` who gave it where somebody else can review it. ``said_*`` repeat
    the latest ``ReviewWord``.
    """

    class State(models.TextChoices):
        UNREVIEWED = "unreviewed"
        KEPT = "kept"
        REMOVED = "removed", "To be removed"
        ENDED = "ended", "Removed"
        LAPSED = "lapsed", "Lapsed unreviewed"
        HELD = "held", "Held: last holder"
        GONE = "gone", "Had ended before"

    class Kind(models.TextChoices):
        MEMBER = "member", "Role of a user"
        ROLE_RIGHT = "role_right", "Right of a role"
        GRANT = "grant", "Right of a role on a desk or account group"
        API_KEY = "api_key", "API key"

    id = models.UUIDField(primary_key=True)
    review = models.ForeignKey(AccessReview, on_delete=models.PROTECT, related_name="lines")
    number = models.IntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    role = models.CharField(max_length=150, default="")
    user = models.ForeignKey("authorisation.User", null=True, on_delete=models.PROTECT, related_name="+")
    right = models.CharField(max_length=100, default="", db_column="right_name")
    on = models.CharField(max_length=120, default="", db_column="on_object")
    key_id = models.UUIDField(null=True)
    title = models.TextField()
    desk = models.ForeignKey("authorisation.Desk", null=True, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey("authorisation.User", null=True, on_delete=models.PROTECT, related_name="+")
    barred = models.ForeignKey("authorisation.User", null=True, on_delete=models.PROTECT, related_name="+")
    origin = models.UUIDField(null=True)
    granted_by = models.CharField(max_length=80, default="")
    granted_at = models.DateTimeField(null=True)
    last_used_on = models.DateField(null=True)
    last_seen_on = models.DateField(null=True)
    conflicts = models.JSONField(default=list)
    dormant = models.BooleanField()
    state = FSMField(max_length=10, choices=State.choices, default=State.UNREVIEWED, protected=True)
    outcome = models.TextField(default="")
    said_by = models.ForeignKey("authorisation.User", null=True, on_delete=models.PROTECT, related_name="+")
    said_at = models.DateTimeField(null=True)
    said_why = models.TextField(default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "number"], name="authorisation_review_line_number"),
            models.CheckConstraint(
                condition=~models.Q(said_by=models.F("person")), name="authorisation_own_line_not_said"
            ),
            models.CheckConstraint(
                condition=~models.Q(said_by=models.F("barred")), name="authorisation_granter_did_not_say"
            ),
        ]

    @transition(field=state, source=sources(LINE_TRANSITIONS, "keep"), target=KEPT)
    def keep(self) -> None:
        """It is still needed."""

    @transition(field=state, source=sources(LINE_TRANSITIONS, "remove"), target=REMOVED)
    def remove(self) -> None:
        """It must end."""

    @transition(field=state, source=sources(LINE_TRANSITIONS, "end"), target=ENDED)
    def end(self) -> None:
        """It was to be removed, and has ended."""

    @transition(field=state, source=sources(LINE_TRANSITIONS, "lapse"), target=LAPSED)
    def lapse(self) -> None:
        """Nobody reviewed it, and it has ended."""

    @transition(field=state, source=sources(LINE_TRANSITIONS, "hold"), target=HELD)
    def hold(self) -> None:
        """It had to end and could not."""

    @transition(field=state, source=sources(LINE_TRANSITIONS, "vanish"), target=GONE)
    def vanish(self) -> None:
        """Somebody ended it meanwhile."""


class ReviewWord(models.Model):
    """What a reviewer said about a line. Append-only; the latest counts."""

    class Verdict(models.TextChoices):
        KEEP = "keep"
        REMOVE = "remove"

    id = models.UUIDField(primary_key=True)
    line = models.ForeignKey(ReviewLine, on_delete=models.PROTECT, related_name="words")
    reviewer = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=6, choices=Verdict.choices)
    reason = models.TextField(default="")
    late = models.BooleanField()
    said_at = models.DateTimeField()
