"""Limits, and whatever stops trading.

``scope_id`` is text: the empty text for the firm, the primary key of a desk, user, client, account or instrument, the
name of a strategy, the MIC of a venue.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords


class Scope(models.TextChoices):
    FIRM = "firm"
    DESK = "desk"
    DEALER = "dealer"
    CLIENT = "client"
    ACCOUNT = "account"
    STRATEGY = "strategy"
    INSTRUMENT = "instrument"
    VENUE = "venue"


class Limit(models.Model):
    """An upper bound on orders of a scope, softer above ``warn``, harder above ``hard``; the check of its kind says how."""

    class Kind(models.TextChoices):
        ORDER_QTY = "order_qty", "Quantity of one order"
        ORDER_NOTIONAL = "order_notional", "Value of one order"
        PRICE_COLLAR = "price_collar", "Distance of a limit from the last price, as a fraction of it"
        PRICE_AGE = "price_age", "Age of the reference price in seconds"

    scope = models.CharField(max_length=12, choices=Scope.choices)
    scope_id = models.TextField(default="", help_text="Empty for the firm")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    currency = models.CharField(max_length=3, default="", help_text="For values: the currency of the marks")
    warn = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    hard = models.DecimalField(max_digits=24, decimal_places=8)
    owner = models.CharField(max_length=80)
    version = models.IntegerField(default=1)
    history = HistoricalRecords()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scope", "scope_id", "kind", "currency"], name="risk_limit_once"),
            models.CheckConstraint(condition=Q(hard__gt=0), name="risk_limit_hard_positive"),
            models.CheckConstraint(
                condition=Q(warn__isnull=True) | Q(warn__lte=models.F("hard")), name="risk_limit_warn_below_hard"
            ),
        ]


class Block(models.Model):
    """Something that stops what adds risk in a scope, until whoever imposed it lifts it.

    The trading switch is the firm's block of source ``trading_switch``. Trading is on when such a block was once lifted
    and none stands; a house that has no row, or lost them, is therefore off.
    """

    id = models.UUIDField(primary_key=True)
    scope = models.CharField(max_length=12, choices=Scope.choices)
    scope_id = models.TextField(default="")
    source = models.CharField(
        max_length=60, help_text="Who imposed it and alone may lift it: trading_switch, recovery:SIM1 …"
    )
    reason = models.TextField()
    imposed_by = models.TextField()
    imposed_by_user = models.BigIntegerField(null=True)  # the person behind it, who may not let it go alone
    imposed_at = models.DateTimeField()
    lifted_by = models.TextField(default="")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        permissions: ClassVar = [
            ("switch_trading", "May switch trading on and off"),
            ("impose_block", "May impose and lift blocks"),
            ("engage_kill_switch", "May press the kill switch"),
            ("ask_risk_change", "May ask for changes of limits and rules, and for the release of a stop"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["source", "imposed_at"], name="risk_block_source"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["scope", "scope_id", "source"],
                name="risk_block_standing_once",
                condition=Q(lifted_at__isnull=True),
            ),
            # The last guard behind decide_stop_release: whoever pressed does not release.
            models.CheckConstraint(
                condition=~Q(source="kill_switch") | Q(lifted_at__isnull=True) | ~Q(lifted_by=models.F("imposed_by")),
                name="risk_block_kill_released_by_another",
            ),
        ]
