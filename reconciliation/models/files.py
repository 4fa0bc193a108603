"""Files as they came."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from reconciliation.domain.records import Kind

KINDS = [(kind.value, kind.value.replace("_", " ").capitalize()) for kind in Kind]


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
        indexes: ClassVar = [models.Index(fields=["kind", "source", "-received_at"], name="reconciliation_file_latest")]

    def __str__(self) -> str:
        return self.name
