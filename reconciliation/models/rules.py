"""What may differ, what a break stops, and what others call our things: dated versions, changed by a second person's word."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from reconciliation.models.files import KINDS
from reconciliation.models.runs import Break

AMOUNT: dict[str, Any] = {"max_digits": 24, "decimal_places": 8}


class Tolerance(models.Model):
    """By how much a field may differ and still agree. Append-only (trigger): of a scope the newest version counts."""

    kind = models.CharField(max_length=12, choices=KINDS)
    source = models.CharField(max_length=40, default="", help_text="Empty: any")
    field = models.CharField(max_length=24, help_text="price, fee, amount, qty, seconds")
    currency = models.CharField(max_length=3, default="")
    amount = models.DecimalField(**AMOUNT)
    version = models.IntegerField()
    request_id = models.UUIDField(null=True, help_text="The approved request; null in the first version")
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "source", "field", "currency", "version"], name="reconciliation_tolerance_version"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="reconciliation_tolerance_not_negative"),
        ]


class FeedVersion(models.Model):
    """What was agreed about a feed, whole, as text (``domain.feed_changes.TERMS``). Append-only (trigger): the newest is what the
    feed's row says; a feed without one stands as it was seeded."""

    code = models.CharField(max_length=24)
    terms = models.JSONField()
    version = models.IntegerField()
    request_id = models.UUIDField()
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "version"], name="reconciliation_feed_version"),
        ]


class BreakPolicy(models.Model):
    """What an unresolved break of a category does. Append-only (trigger): of a kind and category the newest version counts."""

    class Effect(models.TextChoices):
        NOTHING = "nothing"
        BLOCK_ACCOUNT = "block_account", "Block the account"
        BLOCK_INSTRUMENT = "block_instrument", "Block the account in the instrument"
        CANCEL_WORKING = "cancel_working", "Block, and cancel the working order if that is proven safe"
        RECOVERY = "recovery", "Put the session into recovery"
        ALLOW_EXISTING = "allow_existing", "Allow what works, nothing new"

    kind = models.CharField(max_length=12, choices=KINDS)
    category = models.CharField(max_length=20, choices=Break.Category.choices)
    effect = models.CharField(max_length=16, choices=Effect.choices)
    above = models.DecimalField(default=0, help_text="Exposure up to which it does nothing", **AMOUNT)
    escalate_after_s = models.IntegerField()
    version = models.IntegerField()
    request_id = models.UUIDField(null=True)
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "category", "version"], name="reconciliation_policy_version"),
        ]


class OutsideName(models.Model):
    """A declared alternate: what a source calls one of our things. Append-only (trigger); ``ours`` empty: no longer."""

    class What(models.TextChoices):
        ACCOUNT = "account"
        INSTRUMENT = "instrument"
        ORDER = "order"
        EXECUTION = "execution"

    source = models.CharField(max_length=40)
    what = models.CharField(max_length=10, choices=What.choices)
    theirs = models.CharField(max_length=64)
    ours = models.CharField(max_length=64, help_text="Account code, ISIN, order reference, or execution id")
    version = models.IntegerField()
    request_id = models.UUIDField(null=True)
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "what", "theirs", "version"], name="reconciliation_name_version"),
        ]
