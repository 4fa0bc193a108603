"""Exceptions somebody owns, what people were told, drafts being tried, and searches people keep."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from authorisation.models import Desk, User
from operations.domain import day_steps
from operations.domain.exception_kinds import Kind, kind_of
from operations.domain.exception_rank import shown_severity
from operations.domain.exception_states import BY_NAME as MOVES
from operations.domain.exception_states import OPEN, OWNED
from reconciliation.domain.transitions import sources_of


class ExceptionItem(FSMModelMixin, models.Model):
    """A person must look. Begun and cleared by the listener on AnomalyRaised / AnomalyCleared, one open item per dedupe key;
    worked by people along the table of states. Never deleted; what began it never changes (trigger).

    ``version`` counts what people did and what changed its rank: who acts names the one that was seen. ``harm`` orders the
    queue (``domain.exception_rank``), ``next_at`` is when time alone changes something. ``seen_by`` and ``seen_again_by`` are
    the first two people who opened it: until there are two, its age is shown as an alarm.
    """

    class State(models.TextChoices):
        UNREVIEWED = "unreviewed"
        UNDER_REVIEW = "under_review", "Under review"
        SNOOZED = "snoozed"
        WAITING = "waiting"
        CLEARED = "cleared"
        CLOSED = "closed"
        FORCE_CLOSED = "force_closed", "Closed by force"

    class Severity(models.TextChoices):
        LOW = "low"
        MEDIUM = "medium"
        HIGH = "high"
        CRITICAL = "critical"

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=60)
    subject = models.TextField()
    order_id = models.UUIDField(null=True)
    desk = models.ForeignKey(Desk, null=True, on_delete=models.PROTECT)
    account_group_id = models.BigIntegerField(null=True, help_text="Of the order's account")
    severity = models.CharField(max_length=8, choices=Severity.choices)
    sentence = models.TextField()
    evidence = models.JSONField(default=dict)
    dedupe_key = models.TextField()
    occurrences = models.IntegerField(default=1)
    owner = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    owner_group = models.CharField(max_length=40, default="operations")
    state = FSMField(max_length=12, choices=State.choices, default=State.UNREVIEWED, protected=True)
    first_event_id = models.UUIDField()
    sources = models.JSONField(default=list, help_text="Ids of the journal events behind it, latest 200")
    closing_sentence = models.TextField(default="")
    raised_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=0, db_default=0)
    exposure = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    currency = models.CharField(max_length=3, default="", db_default="")
    ages_from = models.DateTimeField(null=True)
    clock = models.CharField(max_length=8, default="wall", db_default="wall")
    market = models.CharField(max_length=4, default="", db_default="")
    due_at = models.DateTimeField(null=True)
    level = models.SmallIntegerField(default=0, db_default=0)
    harm = models.DecimalField(max_digits=12, decimal_places=4, default=0, db_default=0)
    next_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    waits_for = models.TextField(default="", db_default="")
    labels = models.JSONField(default=list, db_default=[])
    links = models.JSONField(default=list, db_default=[])
    before = models.JSONField(default=list, db_default=[], help_text="Whose it was before, latest last, at most ten")
    cause = models.CharField(max_length=24, default="", db_default="")
    ended_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    came_back = models.BooleanField(
        default=False, db_default=False, help_text="Ended by force before, and raised again"
    )
    seen_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    seen_at = models.DateTimeField(null=True)
    seen_again_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    seen_again_at = models.DateTimeField(null=True)

    class Meta:
        permissions: ClassVar = [
            ("work_exception", "May take, hand on, comment and snooze exceptions"),
            ("close_exception", "May close exceptions that a person settles"),
            ("force_close_exception", "May end an exception though its matter still stands"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["dedupe_key"], name="operations_exception_open_once", condition=Q(state__in=OPEN)
            ),
            models.CheckConstraint(
                condition=~Q(state__in=OWNED) | Q(owner__isnull=False), name="operations_exception_worked_is_owned"
            ),
            models.CheckConstraint(
                condition=~Q(state="force_closed") | (Q(owner__isnull=False) & ~Q(owner=models.F("ended_by"))),
                name="operations_exception_forced_by_another",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-harm", "id"], name="operations_exception_harm", condition=Q(state__in=OPEN)),
            models.Index(fields=["next_at"], name="operations_exception_next", condition=Q(state__in=OPEN)),
            models.Index(fields=["owner", "-harm"], name="operations_exception_mine", condition=Q(state__in=OPEN)),
            models.Index(fields=["-closed_at", "id"], name="operations_exception_ended"),
            models.Index(fields=["dedupe_key"], name="operations_exception_matter"),
            models.Index(fields=["order_id"], name="operations_exception_order"),
        ]

    @transition(field=state, source=list(OPEN), target=MOVES["review"].target)
    def review(self) -> None:
        """A person takes it, or goes on with it."""

    @transition(field=state, source=list(OPEN), target=MOVES["hand_over"].target)
    def hand_over(self) -> None:
        """It goes to somebody who has not looked at it."""

    @transition(field=state, source=list(OPEN), target=MOVES["snooze"].target)
    def snooze(self) -> None:
        """Its owner looks again later."""

    @transition(field=state, source=list(OPEN), target=MOVES["wait"].target)
    def wait(self) -> None:
        """Somebody outside has to answer."""

    @transition(field=state, source=list(OPEN), target=MOVES["clear"].target)
    def clear(self) -> None:
        """The room below says that it is settled."""

    @transition(field=state, source=list(OPEN), target=MOVES["close"].target)
    def close(self) -> None:
        """A person settled it."""

    @transition(field=state, source=list(OPEN), target=MOVES["force_close"].target)
    def force_close(self) -> None:
        """A second person ends it though it stands."""

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state in OPEN

    @property
    def about(self) -> Kind:
        """What the house knows about its kind."""
        return kind_of(self.kind)

    @property
    def shown(self) -> str:
        """The severity people see: raised by escalation, never lowered."""
        return shown_severity(self.severity, self.level)

    @property
    def needs_second_look(self) -> bool:
        """No second person has opened it yet."""
        return self.seen_again_at is None


class Notice(models.Model):
    """One line that a person was told: so many events about exceptions, of one kind in one minute (``topic``).

    Repeats what the journal keeps, so it may be forgotten. ``last_position`` is the last event counted. ``mail_due_at``: a mail
    about it is still to go, or somebody has claimed it until then.
    """

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    topic = models.CharField(max_length=160)
    about = models.CharField(max_length=12)
    kind = models.CharField(max_length=60)
    severity = models.CharField(max_length=8)
    count = models.IntegerField()
    item_id = models.UUIDField(help_text="The latest")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    last_position = models.BigIntegerField()
    seen_at = models.DateTimeField(null=True)
    mail_due_at = models.DateTimeField(null=True)
    mail_tries = models.SmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "topic"], name="operations_notice_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-last_at"], name="operations_notice_latest"),
            models.Index(fields=["user", "first_at"], name="operations_notice_unseen", condition=Q(seen_at=None)),
            models.Index(fields=["mail_due_at"], name="operations_notice_mail", condition=Q(mail_due_at__isnull=False)),
        ]


class NoticeChoice(models.Model):
    """What a person wants to be told of without having been named. Nobody needs a row: without one all from medium on."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.PROTECT, related_name="+")
    least = models.CharField(max_length=8, default="medium")
    muted = models.JSONField(default=list)
    mail = models.BooleanField(default=False)


class Trial(models.Model):
    """A draft rule or limit, tried on past orders in slices: what it would have refused, held or asked about."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"

    id = models.UUIDField(primary_key=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    about = models.CharField(max_length=8)  # rule, limit
    draft = models.JSONField()
    name = models.CharField(max_length=200)
    since = models.DateTimeField()
    days = models.PositiveSmallIntegerField()
    before = models.UUIDField(null=True)  # where the next slice begins, backwards
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    requests = models.IntegerField(default=0)
    sums = models.JSONField(default=dict)
    complete = models.BooleanField(default=True)  # False: it ended at the most it looks at
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"], name="operations_trial_open", condition=Q(state__in=["waiting", "running"])
            ),
        ]


class SavedSearch(models.Model):
    """A search of the audit that one person keeps under a name. Convenience, no evidence: its owner may drop it."""

    id = models.UUIDField(primary_key=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    query = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        permissions: ClassVar = [("search_audit", "May search what happened and take evidence of it")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "name"], name="operations_savedsearch_name"),
        ]


class DayRun(FSMModelMixin, models.Model):
    """The begin or the end of a day of business at one market or of one currency's banks: one row, whoever works it.

    ``steps`` keeps of each step whether it is done, one sentence, figures, and when; ``domain.day_steps`` says which there are.
    """

    KINDS = [(day_steps.START, "Start of day"), (day_steps.END, "End of day")]
    STATES = [(state, state.capitalize()) for state in (day_steps.WAITING, day_steps.RUNNING, day_steps.DONE)]

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=5, choices=KINDS)
    place = models.CharField(max_length=8, help_text="MIC of a market, or a settlement calendar: UK, T2, US, AU")
    day = models.DateField()
    state = FSMField(max_length=8, choices=STATES, default=day_steps.WAITING)
    steps = models.JSONField(default=dict)
    started_by = models.TextField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "place", "day"], name="operations_day_run_once"),
            models.CheckConstraint(
                condition=Q(state=day_steps.DONE, finished_at__isnull=False)
                | (~Q(state=day_steps.DONE) & Q(finished_at__isnull=True)),
                name="operations_day_run_done_when",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="operations_day_run_open", condition=~Q(state=day_steps.DONE)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.day} {self.place}"

    @transition(field=state, source=sources_of(day_steps.RUN, "begin"), target=day_steps.RUNNING)
    def begin(self) -> None:
        """A step is being done."""

    @transition(field=state, source=sources_of(day_steps.RUN, "pause"), target=day_steps.WAITING)
    def pause(self) -> None:
        """It waits for the world."""

    @transition(field=state, source=sources_of(day_steps.RUN, "finish"), target=day_steps.DONE)
    def finish(self) -> None:
        """Every step is done."""
