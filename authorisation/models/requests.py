"""What waits for a second person, what was asked before it was asked again, and what people said about it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django_fsm import FSMField, FSMModelMixin, transition

from authorisation.domain.transitions import BY_NAME, DECIDABLE, OPEN


class AuthorisationRequest(FSMModelMixin, models.Model):
    """Something that waits for a second person. Never deleted, moved only along the table.

    What is asked changes in one way: sent back, the maker submits the next ``version`` and the earlier one is kept. The
    policy of the moment it was raised stays with it: a later one does not weaken what waits. ``maker_person`` and
    ``maker_for`` are the people behind the maker and behind whom it acted for; the database itself fills them in.
    ``group_id`` is the account group it is about, of a room above this one: who was not granted it does not see it.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        CLAIMED = "claimed"
        SENT_BACK = "sent_back"
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
    desk = models.ForeignKey("authorisation.Desk", null=True, on_delete=models.PROTECT)
    group_id = models.BigIntegerField(null=True)
    version = models.IntegerField(default=1, db_default=1)
    payload = models.JSONField()
    payload_hash = models.CharField(max_length=64)
    summary = models.TextField()
    reasons = models.JSONField(default=list)
    value = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    currency = models.CharField(max_length=3, default="", db_default="")
    maker = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="authorisation_requests")
    on_behalf_of = models.TextField(default="", db_default="")
    maker_person = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="+")
    maker_for = models.ForeignKey("authorisation.User", null=True, on_delete=models.PROTECT, related_name="+")
    policy = models.ForeignKey("authorisation.ApprovalPolicy", null=True, on_delete=models.PROTECT, related_name="+")
    right = models.CharField(max_length=100, default="", db_default="")
    checkers = models.IntegerField(default=1, db_default=1)
    state = FSMField(max_length=16, choices=State.choices, default=State.PENDING, protected=True)
    claimed_by = models.ForeignKey("authorisation.User", null=True, on_delete=models.PROTECT, related_name="+")
    claimed_until = models.DateTimeField(null=True)
    question = models.TextField(default="", db_default="")
    asked_by = models.ForeignKey("authorisation.User", null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(null=True)
    paused_left_s = models.IntegerField(null=True)
    answer = models.TextField(default="", db_default="")
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
            models.CheckConstraint(
                condition=models.Q(state="claimed", claimed_by__isnull=False, claimed_until__isnull=False)
                | (~models.Q(state="claimed") & models.Q(claimed_by__isnull=True, claimed_until__isnull=True)),
                name="authorisation_claim_has_claimer",
            ),
            models.CheckConstraint(condition=models.Q(checkers__gte=1), name="authorisation_needs_a_checker"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="authorisation_request_waits", condition=models.Q(state__in=OPEN)),
            models.Index(fields=["subject_id"], name="authorisation_request_subject"),
        ]

    @transition(field=state, source=list(DECIDABLE), target=BY_NAME["claim"].target)
    def claim(self) -> None:
        """A checker looks at it."""

    @transition(field=state, source=list(BY_NAME["put_back"].sources), target=BY_NAME["put_back"].target)
    def put_back(self) -> None:
        """The checker lets it go, or more people are needed."""

    @transition(field=state, source=list(DECIDABLE), target=BY_NAME["send_back"].target)
    def send_back(self) -> None:
        """A checker asks the maker something."""

    @transition(field=state, source=list(BY_NAME["resubmit"].sources), target=BY_NAME["resubmit"].target)
    def resubmit(self) -> None:
        """The maker answers, in a new version."""

    @transition(field=state, source=list(DECIDABLE), target=BY_NAME["approve"].target)
    def approve(self) -> None:
        """The last person needed said yes and it was done."""

    @transition(field=state, source=list(DECIDABLE), target=BY_NAME["approve_without_effect"].target)
    def approve_without_effect(self) -> None:
        """The last person needed said yes, and the checks of now said no."""

    @transition(field=state, source=list(DECIDABLE), target=BY_NAME["decline"].target)
    def decline(self) -> None:
        """A second person said no."""

    @transition(field=state, source=list(OPEN), target=BY_NAME["lapse"].target)
    def lapse(self) -> None:
        """Nobody decided in time."""

    @transition(field=state, source=list(OPEN), target=BY_NAME["withdraw"].target)
    def withdraw(self) -> None:
        """The maker took it back, or its subject went away."""


class RequestVersion(models.Model):
    """What was asked before the maker asked again, with the question that sent it back. Append-only."""

    request = models.ForeignKey(AuthorisationRequest, on_delete=models.PROTECT, related_name="versions")
    version = models.IntegerField()
    subject_version = models.IntegerField()
    payload = models.JSONField()
    payload_hash = models.CharField(max_length=64)
    summary = models.TextField()
    reasons = models.JSONField()
    value = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    currency = models.CharField(max_length=3)
    question = models.TextField()
    asked_by = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    replaced_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "version"], name="authorisation_request_version"),
        ]


class Decision(models.Model):
    """What a checker said about one version. The database itself fills in the people behind maker and checker, and keeps
    them apart: no switch, no flag, whatever key, service account or delegate they come by."""

    class Verdict(models.TextChoices):
        APPROVE = "approve"
        DECLINE = "decline"

    id = models.UUIDField(primary_key=True)
    request = models.ForeignKey(AuthorisationRequest, on_delete=models.PROTECT, related_name="decisions")
    version = models.IntegerField(default=1, db_default=1)
    maker = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="+")
    maker_person = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="+")
    maker_for = models.ForeignKey("authorisation.User", null=True, on_delete=models.PROTECT, related_name="+")
    checker = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="+")
    on_behalf_of = models.TextField(default="", db_default="")
    checker_person = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="+")
    checker_for = models.ForeignKey("authorisation.User", null=True, on_delete=models.PROTECT, related_name="+")
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
            models.CheckConstraint(
                condition=~models.Q(checker_person=models.F("maker_person")),
                name="authorisation_checker_person_is_not_maker_person",
            ),
            models.CheckConstraint(
                condition=models.Q(maker_for__isnull=True) | ~models.Q(checker_person=models.F("maker_for")),
                name="authorisation_checker_is_not_behind_maker",
            ),
            models.CheckConstraint(
                condition=models.Q(checker_for__isnull=True)
                | (
                    ~models.Q(checker_for=models.F("maker_person"))
                    & (models.Q(maker_for__isnull=True) | ~models.Q(checker_for=models.F("maker_for")))
                ),
                name="authorisation_checker_is_no_delegate_of_maker",
            ),
            models.UniqueConstraint(
                fields=["request", "version", "checker_person"], name="authorisation_one_say_each_version"
            ),
        ]
