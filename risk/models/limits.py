"""Limits, what is used of them, and how fast orders may come."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from risk.models.scopes import Scope


class Limit(models.Model):
    """An upper bound on orders of a scope, softer above ``warn``, harder above ``hard``; the check of its kind says how."""

    class Kind(models.TextChoices):
        ORDER_QTY = "order_qty", "Quantity of one order"
        ORDER_NOTIONAL = "order_notional", "Value of one order"
        PRICE_COLLAR = "price_collar", "Distance of a limit from the last price, as a fraction of it"
        PRICE_AGE = "price_age", "Age of the reference price in seconds"
        OPEN_ORDERS = "open_orders", "Open orders of the scope"
        OPEN_NOTIONAL = "open_notional", "Value of the scope's open orders, buys and sells added"
        DAILY_GROSS = "daily_gross", "Bought, sold and open on one business date, added"
        DAILY_NET = "daily_net", "Bought less sold on one business date with all that is open on the worse side"
        POSITION_QTY = "position_qty", "Units of one instrument in one account, open orders counted"
        POSITION_VALUE = "position_value", "Value of one instrument in one account, open orders counted"
        CONCENTRATION = "concentration", "Share of one instrument in the value of its account"
        ADV_SHARE = "adv_share", "Position of one account as a share of the average daily volume"

    scope = models.CharField(max_length=12, choices=Scope.choices)
    scope_id = models.TextField(default="", help_text="Empty for the firm")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    currency = models.CharField(max_length=3, default="", help_text="For values: the currency of the marks")
    warn = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    hard = models.DecimalField(max_digits=24, decimal_places=8)
    owner = models.CharField(max_length=80)
    version = models.IntegerField(default=1)
    # In force from and before these times; of several marks of one key the one that began last holds.
    effective_from = models.DateTimeField(null=True)
    effective_until = models.DateTimeField(null=True)
    change_id = models.UUIDField(null=True, help_text="The approved request that set it; null for a mark of the setup")
    history = HistoricalRecords()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["scope", "scope_id", "kind", "currency", "effective_from"],
                name="risk_limit_once_a_start",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(effective_from__isnull=True)
                | Q(effective_until__isnull=True)
                | Q(effective_from__lt=models.F("effective_until")),
                name="risk_limit_begins_before_it_ends",
            ),
            models.CheckConstraint(condition=Q(hard__gt=0), name="risk_limit_hard_positive"),
            models.CheckConstraint(
                condition=Q(warn__isnull=True) | Q(warn__lte=models.F("hard")), name="risk_limit_warn_below_hard"
            ),
        ]


VALUE: dict[str, Any] = {"max_digits": 38, "decimal_places": 14}
"""Values in the counting currency, never rounded: a sum of them is the same in whatever order they came."""


class OrderUsage(models.Model):
    """What one order counts now, and for whom: the share of the sums below that is its own. The order is an opaque id.

    ``open_value`` is in the order's own currency; ``rate`` turns it into the counting currency and stays the one the order
    was counted with. A refused order has no row. Rows of orders that are over stay at zero: a late bust still needs to know
    whose day it changes.
    """

    order_id = models.UUIDField(primary_key=True)
    desk_id = models.IntegerField()
    dealer_id = models.IntegerField()
    client_id = models.UUIDField()
    account_id = models.UUIDField()
    instrument_id = models.UUIDField()
    mic = models.CharField(max_length=4)
    strategy = models.CharField(max_length=40, default="")
    is_buy = models.BooleanField()
    currency = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=20, decimal_places=10)
    open_orders = models.SmallIntegerField(default=0)
    open_qty = models.DecimalField(max_digits=24, decimal_places=8, default=0)
    open_value = models.DecimalField(max_digits=24, decimal_places=4, default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(open_orders__in=[0, 1], open_qty__gte=0, open_value__gte=0), name="risk_order_usage_sane"
            ),
            models.CheckConstraint(
                condition=Q(open_orders=1) | Q(open_qty=0, open_value=0), name="risk_order_usage_closed_is_zero"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["account_id", "instrument_id"], name="risk_usage_open_by_account", condition=Q(open_orders=1)
            ),
        ]


class LimitUsage(models.Model):
    """What the open orders of one scope add up to: exact, one row, and the lock of its scope. ``key`` is ``scope:scope_id``.

    Only scopes with a mark that needs it are counted, days from ``counted_from`` on; no job resets it. Nothing here binds what
    facts may do: no report of a venue is held up by a sum; fsck proves the sums.
    """

    key = models.TextField(primary_key=True)
    version = models.BigIntegerField(default=0)
    counted_from = models.DateField()
    open_orders = models.IntegerField(default=0)
    open_buy = models.DecimalField(default=0, **VALUE)
    open_sell = models.DecimalField(default=0, **VALUE)


class DailyUsage(models.Model):
    """What a counted scope bought and sold on one business date of the market, in the counting currency."""

    key = models.TextField()
    business_date = models.DateField()
    bought = models.DecimalField(default=0, **VALUE)
    sold = models.DecimalField(default=0, **VALUE)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key", "business_date"], name="risk_daily_usage_once"),
        ]


class RateMark(models.Model):
    """One version of a mark for rates, repeated executions or breakers. Never changed: the latest in force holds.

    What the numbers mean for each kind: :class:`risk.domain.rates.RateMark`. Where no row holds, the house's own do.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=12)
    subject = models.TextField(default="")  # the bucket's name (user:7, account:<id>, session:SIM1); empty for all
    amount = models.PositiveIntegerField()
    seconds = models.PositiveIntegerField()
    burst = models.PositiveIntegerField(default=0)
    share = models.PositiveSmallIntegerField(default=0)
    pause_s = models.PositiveIntegerField(default=0)
    effective_from = models.DateTimeField()
    reason = models.TextField()
    set_by = models.TextField()
    approved_by = models.TextField(default="")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0, seconds__gt=0), name="risk_ratemark_counts"),
            models.CheckConstraint(condition=Q(share__lte=100), name="risk_ratemark_share"),
            models.CheckConstraint(
                condition=~Q(kind__in=["user", "key", "account", "session"]) | Q(burst__gt=0),
                name="risk_ratemark_throttle_has_burst",
            ),
        ]


class RateBucket(models.Model):
    """How far a source, account or session has used its rate: the moment at which all of it is free again."""

    subject = models.TextField(primary_key=True)
    full_at = models.DateTimeField()
