"""Subscriptions of other systems, their secrets, what waits for them, and what was tried.

The journal is the outbox: an event has a row here only while an endpoint has not taken it (``HeldDelivery``).
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from authorisation.models import User
from outbound.domain.transitions import BY_NAME, PAUSED


class Subscription(FSMModelMixin, models.Model):
    """Where events go, which, and with whose eyes. What a second person approved never changes (trigger): another address
    is another subscription. ``position``: everything at or below it has arrived, is held, or was not for this listener."""

    class State(models.TextChoices):
        PAUSED = "paused"
        ACTIVE = "active"
        ENDED = "ended"

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=80)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    url = models.CharField(max_length=500)
    kinds = models.JSONField(help_text="Outbound kinds; none: all")
    desks = models.JSONField(help_text="Ids of desks; none: all that the user sees")
    authorisation_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField()
    state = FSMField(max_length=8, choices=State.choices, default=State.PAUSED, protected=True)
    state_reason = models.TextField()
    state_at = models.DateTimeField()
    position = models.BigIntegerField(null=True)
    failures = models.IntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    quiet_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=60, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name"], name="outbound_subscription_name", condition=~Q(state="ended")),
        ]

    @transition(field=state, source=BY_NAME["resume"].source, target=BY_NAME["resume"].target)
    def resume(self) -> None:
        """Let it run."""

    @transition(field=state, source=BY_NAME["pause"].source, target=BY_NAME["pause"].target)
    def pause(self) -> None:
        """Stop it for a while."""

    @transition(
        field=state,
        source=[BY_NAME["end"].source, BY_NAME["end_at_once"].source],
        target=BY_NAME["end"].target,
    )
    def end(self) -> None:
        """Stop it for good."""

    @property
    def is_paused(self) -> bool:
        return bool(self.state == PAUSED)


class SubscriptionSecret(models.Model):
    """What deliveries are signed with, sealed. Two live at most: the one in use and its successor."""

    id = models.UUIDField(primary_key=True)  # the key id in the signature
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="secrets")
    sealed = models.TextField()
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)


class HeldDelivery(models.Model):
    """An event that an endpoint has not taken yet, or that was given up (dead), or that is to be told again."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DEAD = "dead"

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="held")
    position = models.BigIntegerField()
    event_id = models.UUIDField()
    stream = models.TextField()
    kind = models.CharField(max_length=60)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    replayed = models.BooleanField(default=False)
    attempts = models.IntegerField(default=0)
    first_failed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    last_error = models.CharField(max_length=60, default="")
    held_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subscription", "event_id"], name="outbound_held_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["subscription", "state", "position"], name="outbound_held_in_order")]


class DeliveryAttempt(models.Model):
    """One try. Never changed; deleted only when older than thirty days (trigger), by the purge, which says what went."""

    class Outcome(models.TextChoices):
        ARRIVED = "arrived"
        FAILED = "failed"
        DEAD = "dead", "Given up"
        WITHHELD = "withheld"

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="attempts")
    position = models.BigIntegerField()
    event_id = models.UUIDField()
    stream = models.TextField()
    kind = models.CharField(max_length=60)
    attempt = models.IntegerField()
    tried_at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    status = models.SmallIntegerField(null=True)
    ms = models.IntegerField()
    error = models.CharField(max_length=60, default="")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["subscription", "-id"], name="outbound_attempt_latest"),
            models.Index(fields=["event_id"], name="outbound_attempt_event"),
            models.Index(fields=["tried_at"], name="outbound_attempt_age"),
        ]
