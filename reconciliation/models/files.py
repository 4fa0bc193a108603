"""Which files are expected, and files as they came."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from reconciliation.domain.records import Kind
from refdata.models import Market

KINDS = [(kind.value, kind.value.replace("_", " ").capitalize()) for kind in Kind]


class Feed(models.Model):
    """A file that a source sends each day of business: how it is called, when it is due, what it must be.

    Its days are those of a market or of a settlement calendar, never of the machine. It is watched from ``watched_from`` on:
    before, or without it, whatever comes is taken and nobody waits.
    """

    class Sequence(models.TextChoices):
        FREE = "free", "Not numbered"
        TOLD = "told", "A gap is told, the file is taken"
        REFUSED = "refused", "A gap refuses the file"

    class Resend(models.TextChoices):
        REFUSE = "refuse", "One file a day"
        NEWEST = "newest", "The newest wins until it is applied"

    class Partial(models.TextChoices):
        WHOLE = "whole", "All rows or none"
        PARTLY = "partly", "Good rows are taken, the others are told"

    code = models.CharField(max_length=24, primary_key=True)
    title = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=KINDS)
    source = models.CharField(max_length=40)
    format = models.CharField(max_length=16, default="", help_text="Empty: told from the content")
    pattern = models.CharField(max_length=80, help_text="Of the file's name: * and ?, case does not matter")
    folder = models.CharField(max_length=40, help_text="Below VAR_DIR/incoming, or what its transport calls a place")
    market = models.ForeignKey(Market, null=True, on_delete=models.PROTECT, related_name="+")
    settlement_calendar = models.CharField(
        max_length=8, default="", help_text="UK, T2, US, AU where there is no market"
    )
    due = models.TimeField(help_text="Wall time in the zone")
    zone = models.CharField(max_length=40)
    lag = models.PositiveSmallIntegerField(
        default=1, help_text="Days of business between what it is about and when due"
    )
    grace_s = models.PositiveIntegerField(default=900, help_text="Late so long after it was due")
    missing_after_s = models.PositiveIntegerField(default=7200, help_text="Missing so long after it was due")
    mandatory = models.BooleanField(default=True)
    gates = models.BooleanField(default=False, help_text="Accounts concerned do not add risk before it is applied")
    signature_key = models.CharField(
        max_length=80, default="", help_text="PEM file below VAR_DIR/keys/feeds; empty: none"
    )
    sequence = models.CharField(max_length=8, choices=Sequence.choices, default=Sequence.FREE)
    resend = models.CharField(max_length=8, choices=Resend.choices, default=Resend.NEWEST)
    partial = models.CharField(max_length=8, choices=Partial.choices, default=Partial.WHOLE)
    largest = models.BigIntegerField(default=2 << 30, help_text="Bytes; a larger file is refused unread")
    watched_from = models.DateField(null=True, help_text="First day whose absence is told")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(market__isnull=False, settlement_calendar="")
                | (Q(market__isnull=True) & ~Q(settlement_calendar="")),
                name="reconciliation_feed_one_calendar",
            ),
            models.CheckConstraint(
                condition=Q(missing_after_s__gte=models.F("grace_s")), name="reconciliation_feed_late_before_missing"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class FeedFile(models.Model):
    """A file as it came: its bytes are kept whole under their digest (``VAR_DIR/feeds``), and read again whenever needed.

    Whoever received it writes the row once; what its reading found (``state``, ``counted``, ``problems``) is added.
    """

    class State(models.TextChoices):
        RECEIVED = "received"
        READ = "read", "Read: every record is sound"
        PARTLY = "partly", "Read: some records are not"
        REFUSED = "refused"

    id = models.UUIDField(primary_key=True)
    feed = models.ForeignKey(Feed, null=True, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=12, choices=KINDS)
    source = models.CharField(max_length=40, help_text="Whose word it is: a bank, registry, custodian, broker or venue")
    format = models.CharField(max_length=16, default="")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    statement_date = models.DateField(null=True, help_text="The day it is about, as it says itself")
    cut_at = models.DateTimeField(null=True, help_text="As of when, where it says so")
    sequence = models.CharField(max_length=40, default="", help_text="Number of the statement, as it says itself")
    said = models.JSONField(default=dict, help_text="Control totals as file or manifest say them")
    counted = models.JSONField(default=dict, help_text="The same, as we count")
    problems = models.JSONField(default=list, help_text="code, sentence, line: bounded, worst first")
    signed_by = models.CharField(max_length=64, default="", help_text="Key of a signature that held; empty: unsigned")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RECEIVED)
    received_by = models.TextField(help_text="Actor text of who brought it")
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "source", "sha256"], name="reconciliation_file_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["kind", "source", "-received_at"], name="reconciliation_file_latest"),
            models.Index(fields=["feed", "-statement_date", "-received_at"], name="reconciliation_file_of_feed"),
        ]

    def __str__(self) -> str:
        return self.name
