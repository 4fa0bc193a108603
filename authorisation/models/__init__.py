"""Who people and keys are, what they may do, and what needs a second person. Knows nothing of orders."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from simple_history.models import HistoricalRecords

from authorisation.models.access import RoleTerm
from authorisation.models.access_review import AccessReview, ReviewAssignment, ReviewLine, ReviewWord
from authorisation.models.access_use import AccessUse
from authorisation.models.keys import ApiKey, KeyNonce, KeyUse
from authorisation.models.policies import ApprovalPolicy
from authorisation.models.requests import AuthorisationRequest, Decision, RequestVersion
from authorisation.models.sign_in import Factor, FormerPassword, RecoveryCode, Session, SignInLink

__all__ = [
    "AccessReview",
    "AccessUse",
    "ApiKey",
    "ApprovalPolicy",
    "AuthorisationRequest",
    "Decision",
    "Desk",
    "Factor",
    "FormerPassword",
    "KeyNonce",
    "KeyUse",
    "RecoveryCode",
    "RequestVersion",
    "ReviewAssignment",
    "ReviewLine",
    "ReviewWord",
    "RoleTerm",
    "Session",
    "SignInFailures",
    "SignInLink",
    "User",
]


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
    responsible = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="The person who answers for a service account: no second person about what it asks.",
    )  # fmt: skip
    may_send = models.BooleanField(default=True, help_text="A service account sends orders only when this is set.")
    time_zone = models.CharField(max_length=40, default="Europe/London")
    theme = models.CharField(max_length=8, default="system")
    density = models.CharField(max_length=12, default="standard")
    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    class Meta(AbstractUser.Meta):
        permissions: ClassVar = [
            ("administer_accounts", "May open accounts and move money by hand"),
            ("administer_users", "May administer people, roles, keys and grants"),
            ("see_access", "May see who may do what, since when and by whom"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(is_superuser=False, is_staff=False), name="authorisation_no_rights_by_flag"
            ),
        ]

    @property
    def actor(self) -> str:
        """The text every event keeps: ``user:<id>``."""
        return f"user:{self.pk}"


class SignInFailures(models.Model):
    """Wrong passwords of one name, known or not, by the digest of the name. Cleared by a right one.

    ``told`` is up to which count the person's events tell of it.
    """

    name_digest = models.CharField(max_length=64, primary_key=True)
    failures = models.IntegerField()
    last_failed_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)
    told = models.IntegerField(db_default=0)
