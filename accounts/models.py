"""Clients, trading accounts, their cash and stock, what is reserved, and the booking behind every change.

Two layers: *settled* is what bank and registry confirm, *pending* is traded and not yet settled. To trade:
settled + pending - reserved. A check holds that figure at or above zero for our own decisions; a fact from a venue
may break it and says so in ``overdrawn_by_event``. Short sales are a leg of their own, never a negative long.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts.domain.fee_book import STANDARD
from authorisation.models import Desk
from refdata.models import CorporateAction

AMOUNT: dict[str, Any] = {"max_digits": 24, "decimal_places": 8}
PROVEN_AT_ONCE: dict[str, Any] = {"db_constraint": False, "db_index": False}
"""A balance names an account that exists: a trigger proves it once a statement (a key would look a million rows up one by
one, and lock each). The index is the begin of the unique one."""
NAMED_AT_ONCE: dict[str, Any] = {"db_constraint": False, "on_delete": models.PROTECT, "related_name": "accounts"}
"""So does an account its client and its group, whenever either is written."""


class Client(models.Model):
    id = models.UUIDField(primary_key=True)
    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=120)
    lei = models.CharField(max_length=20, blank=True, default="")
    active = models.BooleanField(default=True)
    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.code


class AccountGroup(models.Model):
    """Accounts that are granted together. Guardian grants on it decide who sees and who trades its accounts."""

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=80)
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT)
    history = HistoricalRecords()

    class Meta:
        permissions: ClassVar = [("trade_accountgroup", "May enter orders for the accounts of the group")]

    def __str__(self) -> str:
        return self.code


class TradingAccount(models.Model):
    """The account an order is for."""

    class State(models.TextChoices):
        ACTIVE = "active"
        REDUCE_ONLY = "reduce_only", "Reduce only"
        FROZEN = "frozen"
        CLOSED = "closed"

    id = models.UUIDField(primary_key=True)
    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=120)
    client = models.ForeignKey(Client, **NAMED_AT_ONCE)
    group = models.ForeignKey(AccountGroup, **NAMED_AT_ONCE)
    base_currency = models.CharField(max_length=3)
    state = models.CharField(max_length=12, choices=State.choices, default=State.ACTIVE)
    short_allowed = models.BooleanField(default=False)
    account_class = models.CharField(
        max_length=24, default=STANDARD, db_default=STANDARD, help_text="What fees it pays"
    )
    opens_currencies = models.BooleanField(
        default=False, db_default=False, help_text="May sell in a currency it holds no balance in: one is opened"
    )
    version = models.IntegerField(default=1)
    history = HistoricalRecords(no_db_index=["code", "client", "group"])  # looked up by account and time alone

    def __str__(self) -> str:
        return self.code


class SuspenseAccount(models.Model):
    """Where executions lie that nobody has accepted yet: a desk's, or the firm's where the desk has none of its own."""

    desk = models.OneToOneField(Desk, null=True, blank=True, on_delete=models.PROTECT)
    account = models.OneToOneField(TradingAccount, on_delete=models.PROTECT, related_name="+")
    history = HistoricalRecords()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["desk"], nulls_distinct=False, name="accounts_suspense_one_a_desk_and_the_firm"
            ),
        ]


class CanaryAccount(models.Model):
    """An account whose orders must be refused and can never be sent: its session at every gateway is none. For ever."""

    account = models.OneToOneField(TradingAccount, on_delete=models.PROTECT, related_name="+", primary_key=True)
    marked_at = models.DateTimeField()


class CashBalance(models.Model):
    """Cash of one account in one currency (ISO 4217)."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="cash", **PROVEN_AT_ONCE)
    currency = models.CharField(max_length=3)
    settled = models.DecimalField(default=0, **AMOUNT)
    pending = models.DecimalField(default=0, **AMOUNT)
    reserved = models.DecimalField(default=0, **AMOUNT)
    overdrawn_by_event = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "currency"], name="accounts_cash_once"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="accounts_cash_reserved_not_negative"),
            models.CheckConstraint(
                condition=Q(reserved__lte=F("settled") + F("pending")) | Q(overdrawn_by_event__isnull=False),
                name="accounts_cash_available_or_overdrawn",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["account"], name="accounts_cash_overdrawn", condition=Q(overdrawn_by_event__isnull=False)
            ),
        ]


class Holding(models.Model):
    """Stock of one account in one instrument. ``short`` is what was sold short and not bought back."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="holdings", **PROVEN_AT_ONCE)
    instrument_id = models.UUIDField()
    settled = models.DecimalField(default=0, **AMOUNT)
    pending = models.DecimalField(default=0, **AMOUNT)
    reserved = models.DecimalField(default=0, **AMOUNT)
    short = models.DecimalField(default=0, **AMOUNT)
    overdrawn_by_event = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "instrument_id"], name="accounts_holding_once"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="accounts_holding_reserved_not_negative"),
            models.CheckConstraint(
                condition=Q(reserved__lte=F("settled") + F("pending")) | Q(overdrawn_by_event__isnull=False),
                name="accounts_holding_available_or_overdrawn",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["account"], name="accounts_holding_overdrawn", condition=Q(overdrawn_by_event__isnull=False)
            ),
        ]


class Locate(models.Model):
    """Units a lender has promised for short sales of one account in one instrument, until a time. Append-only (trigger).

    What is used of it is not kept here: it follows from the orders that name its ``ref``, and accounts knows no orders.
    """

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="locates")
    ref = models.CharField(max_length=64)
    instrument_id = models.UUIDField()
    qty = models.DecimalField(**AMOUNT)
    lender = models.CharField(max_length=80)
    expires_at = models.DateTimeField()
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "ref"], name="accounts_locate_once"),
            models.CheckConstraint(condition=Q(qty__gt=0), name="accounts_locate_positive"),
        ]


class Reservation(models.Model):
    """Cash or stock held for one open order. The order is an opaque id; fsck proves the pair."""

    order_id = models.UUIDField(primary_key=True)
    account_id = models.UUIDField()
    cash_currency = models.CharField(max_length=3, default="")
    cash = models.DecimalField(default=0, **AMOUNT)
    instrument_id = models.UUIDField(null=True)
    stock = models.DecimalField(default=0, **AMOUNT)
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(cash__gte=0, stock__gte=0), name="accounts_reservation_not_negative"),
        ]
        indexes: ClassVar = [models.Index(fields=["account_id"], name="accounts_reservation_account")]


class Booking(models.Model):
    """One change of cash or stock, naming the event that caused it. Append-only (trigger)."""

    class Layer(models.TextChoices):
        SETTLED = "settled"
        PENDING = "pending"
        SHORT = "short"

    class Kind(models.TextChoices):
        OPENING = "opening"
        TRADE = "trade"
        BUST = "bust"
        CORRECTION = "correction"
        DEPOSIT = "deposit"
        SUSPENSE = "suspense"
        WITHDRAWAL = "withdrawal"
        COMMISSION = "commission"
        FEE = "fee"
        TAX = "tax"
        SPLIT = "split"
        DIVIDEND = "dividend"
        STATEMENT = "statement", "Statement: what no trade explains"
        SETTLEMENT = "settlement"
        WRITE_OFF = "write_off", "Written off"
        ALLOCATION = "allocation"
        COMPENSATION = "compensation", "Compensation of a settled trade"
        CLAIM = "claim", "Claim between the sides of a trade"

    id = models.BigAutoField(primary_key=True)
    account_id = models.UUIDField()
    event_id = models.UUIDField()
    order_id = models.UUIDField(null=True)
    execution_id = models.UUIDField(null=True)
    allocation_id = models.UUIDField(null=True, help_text="What an account got of a block: opaque here")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    charge = models.CharField(max_length=40, default="", db_default="", help_text="Of a charge: the schedule's line")
    layer = models.CharField(max_length=8, choices=Layer.choices)
    currency = models.CharField(max_length=3, default="")
    instrument_id = models.UUIDField(null=True)
    amount = models.DecimalField(**AMOUNT)
    trade_date = models.DateField()
    settlement_date = models.DateField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(Q(instrument_id__isnull=True) & ~Q(currency=""))
                | (Q(instrument_id__isnull=False) & Q(currency="")),
                name="accounts_booking_cash_or_stock",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account_id", "id"], name="accounts_booking_account"),
            models.Index(fields=["order_id"], name="accounts_booking_order", condition=Q(order_id__isnull=False)),
            models.Index(
                fields=["allocation_id"], name="accounts_booking_allocation", condition=Q(allocation_id__isnull=False)
            ),
            # What came after a cut, what was due by it, what is of later days than one that closes: all follow the order in
            # which bookings were written.
            BrinIndex(
                fields=["recorded_at", "settlement_date", "trade_date"],
                name="accounts_booking_times",
                pages_per_range=32,
            ),
        ]


class StatementPart(models.Model):
    """One event of a file that set the settled layer (or opened accounts): of which accounts it tells. Append-only (trigger).

    ``trades``: it confirms single trades, and its cut is when they settled.
    The accounts of a part lie between ``first_account`` and ``last_account``; an account may be in several parts.
    """

    class What(models.TextChoices):
        ACCOUNTS = "accounts"
        CASH = "cash"
        HOLDINGS = "holdings"
        TRADES = "trades"

    event_id = models.UUIDField(primary_key=True)
    statement_id = models.UUIDField(help_text="What was applied as one")
    file_id = models.UUIDField()
    source = models.CharField(max_length=40)
    what = models.CharField(max_length=8, choices=What.choices)
    cut_at = models.DateTimeField(help_text="As of when the figures are")
    first_account = models.UUIDField()
    last_account = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["first_account", "last_account"], name="accounts_statement_accounts"),
            models.Index(fields=["what", "cut_at"], name="accounts_statement_cut"),
        ]


class AllocationPart(models.Model):
    """One event that moved stock and money between accounts of a block: of which accounts it tells. Append-only (trigger).

    The accounts of its lines lie between ``first_account`` and ``last_account``; they got theirs from ``from_account``.
    """

    event_id = models.UUIDField(primary_key=True)
    from_account = models.UUIDField(db_index=True)
    first_account = models.UUIDField()
    last_account = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["first_account", "last_account"], name="accounts_allocation_accounts"),
        ]


class FeeSchedule(models.Model):
    """One version of one line of what trades are charged (``domain.fee_book``). Append-only (trigger).

    Empty is any: market, issuers (countries of the ISIN, by blanks), asset class, account class, side, currency.
    """

    class Kind(models.TextChoices):
        COMMISSION = "commission"
        FEE = "fee"
        TAX = "tax"

    class Method(models.TextChoices):
        RATES = "rates"
        NONE = "none", "No charge"

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    basis = models.CharField(max_length=12)
    mic = models.CharField(max_length=4, default="")
    issuers = models.CharField(max_length=80, default="")
    asset_class = models.CharField(max_length=12, default="")
    account_class = models.CharField(max_length=24, default="")
    side = models.CharField(max_length=4, default="")
    currency = models.CharField(max_length=3, default="")
    effective_from = models.DateField()
    effective_to = models.DateField(null=True, help_text="The last trade date it is for")
    method = models.CharField(max_length=8, choices=Method.choices)
    flat = models.DecimalField(default=0, **AMOUNT)
    per_share = models.DecimalField(default=0, **AMOUNT)
    bps = models.DecimalField(default=0, **AMOUNT)
    tiers = models.JSONField(default=list, help_text="Pairs of value up to and basis points of it; null is the rest")
    minimum = models.DecimalField(default=0, **AMOUNT)
    maximum = models.DecimalField(null=True, **AMOUNT)
    maximum_bps = models.DecimalField(null=True, **AMOUNT)
    above = models.DecimalField(default=0, **AMOUNT)
    rounding = models.CharField(max_length=12)
    source = models.TextField(help_text="Who published it, where and for when")
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name", "mic", "issuers", "asset_class", "account_class", "side", "version"],
                name="accounts_feeschedule_version_once",
            ),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
                name="accounts_feeschedule_from_before_to",
            ),
            models.CheckConstraint(
                condition=Q(method="rates") | Q(flat=0, per_share=0, bps=0, minimum=0, tiers=[]),
                name="accounts_feeschedule_none_charges_nothing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class ActionEntry(models.Model):
    """What a corporate action came to for one account in one go, booked under ``event_id``. Append-only (trigger).

    A later round of the same part is the difference that a late trade, a correction or a bust made, or the reversal.
    """

    class Part(models.TextChoices):
        EX = "ex", "Ex date"
        PAY = "pay", "Pay date"

    action = models.ForeignKey(CorporateAction, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="+")
    part = models.CharField(max_length=3, choices=Part.choices)
    round = models.IntegerField()
    undoes = models.BooleanField(default=False)
    event_id = models.UUIDField(unique=True)
    long_before = models.DecimalField(**AMOUNT)
    short_before = models.DecimalField(**AMOUNT)
    units = models.DecimalField(**AMOUNT)
    fraction = models.DecimalField(**AMOUNT)
    cash = models.DecimalField(**AMOUNT)
    currency = models.CharField(max_length=3, default="")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["action", "account", "part", "round"], name="accounts_action_entry_once"),
        ]


class ClosedDay(models.Model):
    """That a market's day was closed in our books: what they came to then stands in ``ClosingBalance``. Append-only (trigger)."""

    id = models.UUIDField(primary_key=True)
    market = models.CharField(max_length=4)
    day = models.DateField()
    cash_rows = models.IntegerField(help_text="Balances that differ from the closing before")
    stock_rows = models.IntegerField()
    event_id = models.UUIDField()
    closed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["market", "day"], name="accounts_closed_day_once")]


class ClosingBalance(models.Model):
    """Cash of a market's currency, or stock that it lists, at the end of its day, where it differs from the closing before.

    What an account had at the end of a day is its latest row up to that day. Append-only (trigger).
    """

    id = models.BigAutoField(primary_key=True)
    closed = models.ForeignKey(ClosedDay, on_delete=models.PROTECT, related_name="balances", db_index=False)
    market = models.CharField(max_length=4)
    day = models.DateField()
    account_id = models.UUIDField()
    currency = models.CharField(max_length=3, default="")
    instrument_id = models.UUIDField(null=True)
    settled = models.DecimalField(**AMOUNT)
    pending = models.DecimalField(**AMOUNT)
    short = models.DecimalField(**AMOUNT)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(Q(instrument_id__isnull=True) & ~Q(currency=""))
                | (Q(instrument_id__isnull=False) & Q(currency="")),
                name="accounts_closing_cash_or_stock",
            ),
            models.UniqueConstraint(
                fields=["market", "account_id", "currency", "instrument_id", "day"],
                nulls_distinct=False,
                name="accounts_closing_once",
            ),
        ]
