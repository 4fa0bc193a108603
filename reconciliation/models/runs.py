"""Runs that compared our books with a file, and what they found."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from reconciliation.domain import transitions as moves
from reconciliation.models.files import KINDS, FeedFile

AMOUNT: dict[str, Any] = {"max_digits": 24, "decimal_places": 8}


class Run(FSMModelMixin, models.Model):
    """One comparison. Restartable at every step from this row and the kept file."""

    class Trigger(models.TextChoices):
        BY_HAND = "by_hand", "By hand"
        START = "start", "Start-up"
        RECONNECT = "reconnect"
        ANOMALY = "anomaly"
        INTRADAY = "intraday"
        NIGHTLY = "nightly"

    STATES = [(state, state.capitalize()) for state in (moves.WAITING, moves.RUNNING, *sorted(moves.ENDED))]

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=12, choices=KINDS)
    source = models.CharField(max_length=40)
    file = models.ForeignKey(FeedFile, null=True, on_delete=models.PROTECT, related_name="runs")
    as_of = models.DateField()
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    state = FSMField(max_length=10, choices=STATES, default=moves.WAITING)
    step = models.CharField(max_length=24, default="", help_text="The last step that was committed")
    done = models.BigIntegerField(default=0, help_text="Records worked so far, of ``total``")
    total = models.BigIntegerField(default=0)
    internal = models.BigIntegerField(default=0)
    external = models.BigIntegerField(default=0)
    matched = models.BigIntegerField(default=0)
    written = models.BigIntegerField(default=0, help_text="Breaks that are new")
    closed = models.BigIntegerField(default=0, help_text="Breaks that agree now")
    standing = models.BigIntegerField(default=0, help_text="Breaks found again")
    sums = models.JSONField(
        default=dict, db_default=models.Value({}, models.JSONField()), help_text="By measure: ours and theirs as text"
    )
    of_accounts = models.JSONField(null=True, help_text="Accounts that a statement of single ones names; null: all")
    rules_version = models.IntegerField(default=0, help_text="The tolerances and policies it was judged by")
    sentence = models.TextField(default="", help_text="Why it failed or is suspect")
    started_by = models.TextField()
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    again_at = models.DateTimeField(null=True, help_text="An anomaly came after it: when to compare once more")
    signed_by = models.TextField(default="", help_text="Second person who took note of what is open")
    signed_at = models.DateTimeField(null=True)
    sign_off = models.TextField(default="", help_text="What the second person stated")

    class Meta:
        permissions: ClassVar = [
            ("work_break", "May take files in, start runs, and propose repairs of breaks"),
            ("decide_break", "May decide about repairs, acceptances and tolerances, and sign runs off"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["kind", "-created_at"], name="reconciliation_run_latest"),
            models.Index(
                fields=["created_at"],
                name="reconciliation_run_open",
                condition=Q(state__in=[moves.WAITING, moves.RUNNING]),
            ),
            models.Index(fields=["again_at"], name="reconciliation_run_again", condition=Q(again_at__isnull=False)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(signed_by="") | ~Q(signed_by=models.F("started_by")),
                name="reconciliation_run_second_person",
            ),
            models.CheckConstraint(
                condition=Q(signed_by="", signed_at__isnull=True, sign_off="")
                | Q(~Q(signed_by=""), ~Q(sign_off=""), signed_at__isnull=False),
                name="reconciliation_run_signed_whole",
            ),
        ]

    @transition(field=state, source=moves.sources_of(moves.RUN, "begin"), target=moves.RUNNING)
    def begin(self) -> None:
        """Its first step."""

    @transition(field=state, source=moves.sources_of(moves.RUN, "finish"), target=moves.DONE)
    def finish(self) -> None:
        """Everything was compared."""

    @transition(field=state, source=moves.sources_of(moves.RUN, "doubt"), target=moves.SUSPECT)
    def doubt(self) -> None:
        """The file is doubted."""

    @transition(field=state, source=moves.sources_of(moves.RUN, "fail"), target=moves.FAILED)
    def fail(self) -> None:
        """It could not be done."""

    @transition(field=state, source=moves.sources_of(moves.RUN, "cancel"), target=moves.CANCELED)
    def cancel(self) -> None:
        """Somebody stopped it."""


class Break(FSMModelMixin, models.Model):
    """Two records disagree, or one has no other. Its ``key`` follows from the records alone: found again, it is the same.

    Of one key one row is open; a break that comes back after it was closed is a new row with the next ``recurrence``.
    """

    class Category(models.TextChoices):
        MISSING_INTERNAL = "missing_internal", "Missing with us"
        MISSING_EXTERNAL = "missing_external", "Missing with them"
        STATUS = "status"
        QUANTITY = "quantity"
        PRICE = "price"
        FEE = "fee"
        DUPLICATE_SUSPECT = "duplicate_suspect", "Duplicate suspected"
        TIMING = "timing"

    class ClosedAs(models.TextChoices):
        AGREED = "agreed"
        MATCHED = "matched"
        REPAIRED = "repaired"
        WRITTEN_OFF = "written_off", "Written off"

    id = models.UUIDField(primary_key=True)
    number = models.BigIntegerField(unique=True, help_text="BRK-<number> is what people call it")
    key = models.CharField(max_length=300)
    recurrence = models.IntegerField(default=1)
    kind = models.CharField(max_length=12, choices=KINDS)
    source = models.CharField(max_length=40)
    category = models.CharField(max_length=20, choices=Category.choices)
    ids = models.JSONField(default=dict, help_text="The names both sides use: exec_id, cl_ord_id, account, isin, …")
    account_id = models.UUIDField(null=True)
    instrument_id = models.UUIDField(null=True)
    order_id = models.UUIDField(null=True)
    execution_id = models.UUIDField(null=True)
    ours = models.JSONField(default=dict, help_text="Our record; empty where there is none")
    theirs = models.JSONField(default=dict, help_text="Theirs, with raw line, file, line number and digest")
    differences = models.JSONField(default=list, help_text="field, ours, theirs, difference")
    why = models.TextField()
    suggestion = models.TextField(default="", help_text="What to do, and why that is safe")
    candidates = models.JSONField(
        default=list, help_text="Records that agree in economics: for a person, never an identity"
    )
    exposure = models.DecimalField(null=True, **AMOUNT)
    exposure_currency = models.CharField(max_length=3, default="")
    business_date = models.DateField()
    event_at = models.DateTimeField(null=True, help_text="When the matter itself happened: what it ages from")
    state = FSMField(
        max_length=8,
        choices=[(s, s.capitalize()) for s in (moves.OPEN, moves.ACCEPTED, moves.CLOSED)],
        default=moves.OPEN,
    )
    accepted_until = models.DateField(null=True)
    closed_as = models.CharField(max_length=12, choices=ClosedAs.choices, default="")
    closing_sentence = models.TextField(default="")
    effect = models.CharField(max_length=24, default="", help_text="What stands because of it: ``domain.effects``")
    escalated_at = models.DateTimeField(null=True, help_text="When it was told as open for too long")
    request_id = models.UUIDField(
        null=True, db_default=None, help_text="The approved request that closed or accepted it"
    )
    first_run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    last_run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    version = models.IntegerField(default=1)
    found_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["key"], name="reconciliation_break_open_once", condition=~Q(state=moves.CLOSED)
            ),
            models.UniqueConstraint(fields=["key", "recurrence"], name="reconciliation_break_recurrence"),
            models.CheckConstraint(
                condition=(Q(state=moves.CLOSED) & Q(closed_at__isnull=False) & ~Q(closed_as=""))
                | (~Q(state=moves.CLOSED) & Q(closed_at__isnull=True) & Q(closed_as="")),
                name="reconciliation_break_closed_says_how",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["kind", "source"], name="reconciliation_break_open", condition=~Q(state=moves.CLOSED)),
            models.Index(
                fields=["account_id"], name="reconciliation_break_account", condition=Q(account_id__isnull=False)
            ),
            models.Index(fields=["order_id"], name="reconciliation_break_order", condition=Q(order_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        """What people call it."""
        return f"BRK-{self.number:06d}"

    @transition(field=state, source=moves.sources_of(moves.BREAK, "accept"), target=moves.ACCEPTED)
    def accept(self) -> None:
        """A difference in time."""

    @transition(field=state, source=moves.sources_of(moves.BREAK, "reopen"), target=moves.OPEN)
    def reopen(self) -> None:
        """It still differs."""

    @transition(field=state, source=moves.sources_of(moves.BREAK, "close"), target=moves.CLOSED)
    def close(self) -> None:
        """Facts agree, or it was decided."""


class RunBreak(models.Model):
    """A break as a run saw it: new, standing, or closed because the facts agree. Append-only (trigger): the diff of runs."""

    class Word(models.TextChoices):
        NEW = "new"
        STANDING = "standing"
        CLOSED = "closed"

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="found")
    item = models.ForeignKey(Break, on_delete=models.PROTECT, related_name="seen")
    word = models.CharField(max_length=8, choices=Word.choices)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "item"], name="reconciliation_seen_once")]
