"""Who people and keys are, what they may do, and what needs a second person. Knows nothing of orders."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from simple_history.models import HistoricalRecords


class Desk(models.Model):
    """A group of people who trade together. Guardian grants on it decide who sees its rows."""

    code = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=80)
    history = HistoricalRecords()

    class Meta:
        permissions: ClassVar = [("trade_desk", "May enter orders on the desk")]

    def __str__(self) -> str:
        return self.code


class User(AbstractUser):
    """A person or a service. Rights come from groups (roles) and guardian grants, never from flags here."""

    class Kind(models.TextChoices):
        PERSON = "person"
        SERVICE = "service"

    class Persona(models.TextChoices):
        DEALER = "dealer", "Dealer"
        DESK_HEAD = "desk_head", "Desk head"
        COMPLIANCE = "compliance", "Compliance"
        OPERATIONS = "operations", "Operations"
        AUDITOR = "auditor", "Auditor"
        ADMINISTRATOR = "administrator", "Administrator"
        SERVICE = "service", "Service account"

    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.PERSON)
    persona = models.CharField(max_length=16, choices=Persona.choices, default=Persona.DEALER)
    desk = models.ForeignKey(Desk, null=True, blank=True, on_delete=models.PROTECT)
    may_send = models.BooleanField(default=True, help_text="A service account sends orders only when this is set.")
    time_zone = models.CharField(max_length=40, default="Europe/London")
    theme = models.CharField(max_length=8, default="system")
    density = models.CharField(max_length=12, default="standard")
    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    @property
    def actor(self) -> str:
        """The text every event keeps: ``user:<id>``."""
        return f"user:{self.pk}"


class ApiKey(models.Model):
    """A bearer token of one user. Only its SHA-256 is kept."""

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class AuthorisationRequest(models.Model):
    """Something that waits for a second person. Can never be deleted (trigger)."""

    class State(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        NOT_APPLIED = "not_applied", "Approved but not applied"
        DECLINED = "declined"
        LAPSED = "lapsed"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=40)
    subject_type = models.CharField(max_length=40)
    subject_id = models.TextField()
    subject_version = models.IntegerField()
    desk = models.ForeignKey(Desk, null=True, on_delete=models.PROTECT)
    payload = models.JSONField()
    payload_hash = models.CharField(max_length=64)
    summary = models.TextField()
    reasons = models.JSONField(default=list)
    maker = models.ForeignKey(User, on_delete=models.PROTECT, related_name="authorisation_requests")
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    outcome = models.TextField(default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["id", "maker"], name="authorisation_request_maker"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="authorisation_request_open", condition=models.Q(state="pending")),
            models.Index(fields=["subject_id"], name="authorisation_request_subject"),
        ]


class Decision(models.Model):
    """What a checker said. ``maker`` repeats the request's maker so that the database itself keeps the two apart."""

    class Verdict(models.TextChoices):
        APPROVE = "approve"
        DECLINE = "decline"

    id = models.UUIDField(primary_key=True)
    request = models.ForeignKey(AuthorisationRequest, on_delete=models.PROTECT, related_name="decisions")
    maker = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    checker = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    reason_code = models.CharField(max_length=40)
    reason = models.TextField(default="")
    payload_hash = models.CharField(max_length=64)
    decided_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(checker=models.F("maker")), name="authorisation_checker_is_not_maker"
            ),
            models.UniqueConstraint(fields=["request", "checker"], name="authorisation_one_say_each"),
        ]
