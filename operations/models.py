"""Exceptions somebody owns."""

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
