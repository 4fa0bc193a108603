"""The rulebook: what compliance, risk and clients laid down."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from risk.models.scopes import Scope


class Rulebook(models.Model):
    """The version of everything below, one row. A trigger on each table gives it a new number with every change, whoever
    makes it: a number is never used twice, so what was read once under a number can be kept under it."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField()

    class Meta:
        permissions: ClassVar = [
            ("see_restrictions", "May see and ask for restrictions, and why they are there"),
        ]
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="risk_rulebook_one_row")]


class Rule(models.Model):
    """A rule compliance laid down. Changed by an approved request alone; ended by its ``effective_until``, never deleted."""

    id = models.UUIDField(primary_key=True)
    code = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=80)
    scope = models.CharField(max_length=12, choices=Scope.choices)
    scope_id = models.TextField(default="")
    conditions = models.JSONField(default=list)
    verdict = models.CharField(max_length=12)
    sentence = models.CharField(max_length=300, default="")
    source = models.CharField(max_length=200)
    reason = models.CharField(max_length=500)
    owner = models.CharField(max_length=80)
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True)
    change_id = models.UUIDField(null=True, db_default=None)  # the approved request that wrote it as it stands
    version = models.IntegerField(default=1)
    history = HistoricalRecords()
    _history_date: datetime
    _change_reason: str

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(verdict__in=["pass", "acknowledge", "authorise", "refuse"]), name="risk_rule_verdict_known"
            ),
            models.CheckConstraint(
                condition=Q(effective_until__isnull=True) | Q(effective_until__gte=models.F("effective_from")),
                name="risk_rule_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Restriction(models.Model):
    """An entry of the restricted or the watch list. It begins as asked for; only with ``approved_at`` it counts.

    ``source`` and ``reason`` are for compliance alone: no event, answer or request carries them, only their digest.
    """

    class List(models.TextChoices):
        RESTRICTED = "restricted"
        WATCH = "watch"

    class Sweep(models.TextChoices):
        LIST = "list", "List the working orders"
        CANCEL = "cancel", "Cancel the working orders"
        KEEP = "keep", "Keep the working orders"

    id = models.UUIDField(primary_key=True)
    reference = models.CharField(max_length=16, unique=True)
    list = models.CharField(max_length=10, choices=List.choices)
    subject = models.CharField(max_length=12)  # instrument, issuer
    subject_id = models.TextField()
    subject_name = models.CharField(max_length=120)
    scope = models.CharField(max_length=12, choices=Scope.choices, default=Scope.FIRM)
    scope_id = models.TextField(default="")
    sides = models.CharField(max_length=4, default="both")
    sweep = models.CharField(max_length=8, choices=Sweep.choices, default=Sweep.LIST)
    source = models.CharField(max_length=200)
    reason = models.CharField(max_length=500)
    owner = models.CharField(max_length=80)
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True)
    asked_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True)
    swept_at = models.DateTimeField(null=True)
    change_id = models.UUIDField(null=True, db_default=None)  # the approved request that wrote it as it stands
    version = models.IntegerField(default=1)
    history = HistoricalRecords()
    _history_date: datetime
    _change_reason: str

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(sides__in=["both", "buy", "sell"]), name="risk_restriction_sides_known"),
            models.CheckConstraint(
                condition=Q(effective_until__isnull=True) | Q(effective_until__gte=models.F("effective_from")),
                name="risk_restriction_ends_after_it_begins",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["effective_from"],
                name="risk_restriction_to_sweep",
                condition=Q(approved_at__isnull=False, swept_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Mandate(models.Model):
    """What a firm, client or account may trade; null allows everything of its kind. Every one that applies must allow it."""

    scope = models.CharField(max_length=12, choices=Scope.choices)
    scope_id = models.TextField(default="")
    markets = models.JSONField(null=True)
    asset_classes = models.JSONField(null=True)
    currencies = models.JSONField(null=True)
    short_allowed = models.BooleanField(default=False)
    owner = models.CharField(max_length=80)
    change_id = models.UUIDField(null=True, db_default=None)  # the approved request that wrote it as it stands
    version = models.IntegerField(default=1)
    history = HistoricalRecords()
    _history_date: datetime
    _change_reason: str

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scope", "scope_id"], name="risk_mandate_once"),
            models.CheckConstraint(condition=Q(scope__in=["firm", "client", "account"]), name="risk_mandate_scope"),
        ]


class Collar(models.Model):
    """How far a limit may be from the market, as fractions, in an asset class and session phase; empty is any."""

    asset_class = models.CharField(max_length=12, default="")
    phase = models.CharField(max_length=20, default="")
    warn = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    hard = models.DecimalField(max_digits=12, decimal_places=6)
    owner = models.CharField(max_length=80)
    change_id = models.UUIDField(null=True, db_default=None)  # the approved request that wrote it as it stands
    version = models.IntegerField(default=1)
    history = HistoricalRecords()
    _history_date: datetime
    _change_reason: str

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["asset_class", "phase"], name="risk_collar_once"),
            models.CheckConstraint(condition=Q(hard__gt=0), name="risk_collar_hard_positive"),
            models.CheckConstraint(
                condition=Q(warn__isnull=True) | Q(warn__lte=models.F("hard")), name="risk_collar_warn_below_hard"
            ),
        ]


class ConductPolicy(models.Model):
    """The firm's marks of conduct, one row. Percentages as numbers (25 is 25 %); null is no mark."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    duplicate_window_s = models.PositiveIntegerField()
    self_trade_account = models.CharField(max_length=12)
    self_trade_client = models.CharField(max_length=12)
    self_trade_firm = models.CharField(max_length=12)
    volume_warn = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    volume_hard = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    volume_unknown = models.CharField(max_length=12)
    spread_warn = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    depth_warn = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    book_unknown = models.CharField(max_length=12)
    basket_orders = models.PositiveIntegerField()
    basket_notional = models.JSONField(help_text="The most a basket may be worth, by currency")
    basket_ratio = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    owner = models.CharField(max_length=80)
    change_id = models.UUIDField(null=True, db_default=None)  # the approved request that wrote it as it stands
    version = models.IntegerField(default=1)
    history = HistoricalRecords()
    _history_date: datetime
    _change_reason: str

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="risk_conductpolicy_one_row"),
            models.CheckConstraint(condition=Q(duplicate_window_s__lte=86400), name="risk_conductpolicy_window"),
        ]
