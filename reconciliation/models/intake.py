"""A file of the start of day on its way into the books."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from reconciliation.domain import intake_states as moves
from reconciliation.domain.records import START_OF_DAY
from reconciliation.domain.transitions import sources_of
from reconciliation.models.files import FeedFile

KINDS = [(kind.value, kind.value.replace("_", " ").capitalize()) for kind in START_OF_DAY]
STATES = (moves.STAGED, moves.WAITING, moves.APPLYING, moves.APPLIED, moves.REFUSED, moves.CANCELED, moves.SUPERSEDED)


class Intake(FSMModelMixin, models.Model):
    """What a file would change, did change, or may not. Restartable at every step from this row and the kept file."""

    id = models.UUIDField(primary_key=True)
    file = models.ForeignKey(FeedFile, on_delete=models.PROTECT, related_name="intakes")
    kind = models.CharField(max_length=12, choices=KINDS)
    source = models.CharField(max_length=40)
    day = models.DateField(help_text="The day it is about")
    cut_at = models.DateTimeField(help_text="As of when its figures are")
    state = FSMField(max_length=10, choices=[(s, s.capitalize()) for s in STATES], default=moves.STAGED)
    step = models.CharField(max_length=24, default="", help_text="What is being done, or was last")
    done = models.BigIntegerField(default=0, help_text="Rows read so far")
    rows = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0, help_text="Rows left out")
    issues = models.JSONField(default=list, help_text="By rule: count, first lines, column; bounded")
    totals = models.JSONField(default=dict, help_text="Before and after, by currency or in units")
    since = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        help_text="Against the file applied before it: rows new, changed, gone, same, and the first of them",
    )
    sentence = models.TextField(default="", help_text="Why it waits, was refused or put away")
    request_id = models.UUIDField(null=True, help_text="The second person's request")
    version = models.IntegerField(default=1)
    started_by = models.TextField()
    applied_by = models.TextField(default="")
    created_at = models.DateTimeField()
    stepped_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["file"], name="reconciliation_intake_open_once", condition=Q(state__in=moves.OPEN)
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["kind", "source", "-created_at"], name="reconciliation_intake_latest"),
            models.Index(fields=["created_at"], name="reconciliation_intake_open", condition=Q(state__in=moves.OPEN)),
        ]

    @transition(field=state, source=sources_of(moves.INTAKE, "wait"), target=moves.WAITING)
    def wait(self) -> None:
        """For a second person."""

    @transition(field=state, source=sources_of(moves.INTAKE, "begin"), target=moves.APPLYING)
    def begin(self) -> None:
        """It is booked now."""

    @transition(field=state, source=sources_of(moves.INTAKE, "apply"), target=moves.APPLIED)
    def apply(self) -> None:
        """It is booked."""

    @transition(field=state, source=sources_of(moves.INTAKE, "refuse"), target=moves.REFUSED)
    def refuse(self) -> None:
        """It is not booked."""

    @transition(field=state, source=sources_of(moves.INTAKE, "cancel"), target=moves.CANCELED)
    def cancel(self) -> None:
        """Somebody put it away."""

    @transition(field=state, source=sources_of(moves.INTAKE, "supersede"), target=moves.SUPERSEDED)
    def supersede(self) -> None:
        """A newer one is there."""
