"""Limits, and whatever stops trading.

``scope_id`` is text: the empty text for the firm, the primary key of a desk, user, client, account or instrument, the
name of a strategy, the MIC of a venue. A block may also stand on one account in one instrument (``POSITION``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition
from simple_history.models import HistoricalRecords

from risk.domain.breakers import BY_NAME as BREAKER_MOVES
from risk.domain.breakers import CLOSED


class Scope(models.TextChoices):
    FIRM = "firm"
    DESK = "desk"
    DEALER = "dealer"
    CLIENT = "client"
    ACCOUNT = "account"
    STRATEGY = "strategy"
    INSTRUMENT = "instrument"
    VENUE = "venue"


POSITION = "position"
"""A scope of blocks alone: one account in one instrument, ``<account>:<instrument>``. No limit, rule or stop has it."""


def position_scope_id(account_id: object, instrument_id: object) -> str:
    """The ``scope_id`` of one account in one instrument."""
    return f"{account_id}:{instrument_id}"


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


class Breaker(FSMModelMixin, models.Model):
    """One circuit breaker: what it watches, whether it trades, why not, and what its venue was asked since."""

    kind = models.CharField(max_length=12)
    subject = models.TextField()  # session:<name>, venue:<code> or firm
    state = FSMField(max_length=10, default=CLOSED, protected=True)
    cause = models.TextField(default="")
    openings = models.PositiveIntegerField(default=0)  # since a person last let it go on: each doubles the pause
    since = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    probe_cl_ord_id = models.CharField(max_length=32, default="")
    probed_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answer = models.TextField(default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "subject"], name="risk_breaker_once"),
        ]

    @transition(field=state, source=BREAKER_MOVES["trip"].source, target=BREAKER_MOVES["trip"].target)
    def trip(self) -> None:
        """A mark was passed."""

    @transition(field=state, source=BREAKER_MOVES["probe"].source, target=BREAKER_MOVES["probe"].target)
    def probe(self) -> None:
        """Its pause is over and nothing new went wrong."""

    @transition(field=state, source=BREAKER_MOVES["reopen"].source, target=BREAKER_MOVES["reopen"].target)
    def reopen(self) -> None:
        """A mark was passed again, or the question was not answered."""

    @transition(field=state, source=BREAKER_MOVES["resume"].source, target=BREAKER_MOVES["resume"].target)
    def resume(self) -> None:
        """The venue answered, and a second person let it go on."""

    def forget_probe(self) -> None:
        """What the venue said before says nothing about now."""
        self.probe_cl_ord_id, self.probed_at, self.answered_at, self.answer = "", None, None, ""


class Block(models.Model):
    """Something that stops what adds risk in a scope, until whoever imposed it lifts it.

    The trading switch is the firm's block of source ``trading_switch``. Trading is on when such a block was once lifted
    and none stands; a house that has no row, or lost them, is therefore off.
    """

    id = models.UUIDField(primary_key=True)
    scope = models.CharField(max_length=12, choices=[*Scope.choices, (POSITION, "Account in an instrument")])
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


class Waiver(models.Model):
    """Two people's word that a gate of the start of day lets one account, or all, pass until a time of that day.

    It is about one block: with that it ends, and none that is imposed later is opened by it. Granted whole and ended once
    (trigger); the approved request is about this block and account (trigger), and no other kind of block can be opened so.
    """

    id = models.UUIDField(primary_key=True)
    block = models.ForeignKey(Block, on_delete=models.PROTECT, related_name="waivers")
    account_id = models.TextField(default="", help_text="Empty: every account that the block concerns")
    until = models.DateTimeField()
    reason = models.TextField()
    request_id = models.UUIDField(unique=True, help_text="The approved request")
    granted_by = models.TextField()
    granted_at = models.DateTimeField()
    ended_by = models.TextField(default="")
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.TextField(default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["block", "account_id"], name="risk_waiver_standing_once", condition=Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(condition=Q(until__gt=models.F("granted_at")), name="risk_waiver_until_later"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by="", ended_reason="")
                | Q(~Q(ended_by=""), ~Q(ended_reason=""), ended_at__isnull=False),
                name="risk_waiver_ended_whole",
            ),
        ]


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
