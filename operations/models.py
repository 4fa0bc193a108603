"""Exceptions somebody owns, drafts being tried, and searches people keep."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from authorisation.models import Desk, User


class ExceptionItem(models.Model):
    """A person must look. Kept by the listener on AnomalyRaised / AnomalyCleared, one open item per dedupe key."""

    class State(models.TextChoices):
        OPEN = "open"
        CLEARED = "cleared"

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
    severity = models.CharField(max_length=8, choices=Severity.choices)
    sentence = models.TextField()
    evidence = models.JSONField(default=dict)
    dedupe_key = models.TextField()
    occurrences = models.IntegerField(default=1)
    owner = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    owner_group = models.CharField(max_length=40, default="operations")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    first_event_id = models.UUIDField()
    sources = models.JSONField(default=list, help_text="Ids of the journal events behind it, latest 200")
    closing_sentence = models.TextField(default="")
    raised_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["dedupe_key"], name="operations_exception_open_once", condition=Q(state="open")
            ),
        ]


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
