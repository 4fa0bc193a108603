"""Who people and keys are, what they may do, and what needs a second person. Knows nothing of orders."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django_fsm import FSMField, FSMModelMixin, transition
from simple_history.models import HistoricalRecords

from authorisation.domain.principal import Principal
from authorisation.domain.transitions import BY_NAME


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

    class Meta(AbstractUser.Meta):
        permissions: ClassVar = [
            ("administer_accounts", "May open accounts and move money by hand"),
            ("administer_users", "May administer people, roles, keys and grants"),
        ]

    @property
    def actor(self) -> str:
        """The text every event keeps: ``user:<id>``."""
        return f"user:{self.pk}"


class ApiKey(models.Model):
    """A bearer token of one user. Only its SHA-256 is kept.

    ``principal`` is set on a key found by its token: the user's rights and grants of that moment.
    """

    principal: Principal

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class SignInFailures(models.Model):
    """Wrong passwords of one name, known or not, by the digest of the name. Cleared by a right one."""

    name_digest = models.CharField(max_length=64, primary_key=True)
    failures = models.IntegerField()
    last_failed_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)


class AuthorisationRequest(FSMModelMixin, models.Model):
    """Something that waits for a second person. Never deleted, never asked differently, moved only along the table."""

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
    state = FSMField(max_length=16, choices=State.choices, default=State.PENDING, protected=True)
    outcome = models.TextField(default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        permissions: ClassVar = [
            ("decide_risk_change", "May decide about limits, rules and the release of stops"),
            ("decide_static_data", "May decide about static data and corporate actions"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["id", "maker"], name="authorisation_request_maker"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="authorisation_request_open", condition=models.Q(state="pending")),
            models.Index(fields=["subject_id"], name="authorisation_request_subject"),
        ]

    @transition(field=state, source=BY_NAME["approve"].source, target=BY_NAME["approve"].target)
    def approve(self) -> None:
        """A second person said yes and it was done."""

    @transition(
        field=state,
        source=BY_NAME["approve_without_effect"].source,
        target=BY_NAME["approve_without_effect"].target,
    )
    def approve_without_effect(self) -> None:
        """A second person said yes, and the checks of now said no."""

    @transition(field=state, source=BY_NAME["decline"].source, target=BY_NAME["decline"].target)
    def decline(self) -> None:
        """A second person said no."""

    @transition(field=state, source=BY_NAME["lapse"].source, target=BY_NAME["lapse"].target)
    def lapse(self) -> None:
        """Nobody decided in time."""

    @transition(field=state, source=BY_NAME["withdraw"].source, target=BY_NAME["withdraw"].target)
    def withdraw(self) -> None:
        """The maker took it back, or its subject went away."""


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
