"""Blocks, the executions in them, what was intended, and what each account got.

A block is derived from executions; nothing in it is typed. Quantities are units and positive (``side`` says the way), money
is signed from the account's point of view: positive came in. Prices in the listing's price unit.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from allocations.domain import transitions as moves
from allocations.models.columns import AVG_PX, MONEY, NOTIONAL, QTY

SIDES = Q(side__in=["1", "2", "5", "6"])


class WashAccount(models.Model):
    """A firm's account that blocks are executed for: flat by cut-off, what is left in it is an exception.

    ``rounding_account`` takes the minor units that rounding leaves, ``error_account`` the differences that undoing a settled
    trade costs. Both are the firm's own.
    """

    account = models.OneToOneField(
        "accounts.TradingAccount", on_delete=models.PROTECT, related_name="+", primary_key=True
    )
    desk = models.ForeignKey("authorisation.Desk", on_delete=models.PROTECT, related_name="+")
    rounding_account = models.ForeignKey("accounts.TradingAccount", on_delete=models.PROTECT, related_name="+")
    error_account = models.ForeignKey("accounts.TradingAccount", on_delete=models.PROTECT, related_name="+")

    class Meta:
        permissions: ClassVar = [
            ("allocate_block", "May say which accounts get what of a block"),
            ("decide_allocation", "May decide about allocations that others propose"),
            ("work_post_trade", "May work on confirmations, contract notes and settlement"),
            ("decide_post_trade", "May decide about standing instructions, schemes and matching tolerances"),
        ]


class Scheme(models.Model):
    """A saved way to allocate: method, lines, parameters. Append-only (trigger): of a code the newest version counts.

    ``lines`` are objects of account (code), and target | qty | percent | weight, min_qty, house; ``parameters`` are those of the
    method (``allocations.domain.methods``): lot, precision, partial-fill policy, rotation, minimum.
    """

    code = models.CharField(max_length=24)
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=80)
    desk = models.ForeignKey("authorisation.Desk", null=True, on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=16)
    lines = models.JSONField(default=list)
    parameters = models.JSONField(default=dict)
    wash_account = models.ForeignKey(
        WashAccount, null=True, on_delete=models.PROTECT, related_name="+", help_text="Whose default it is"
    )
    strategy = models.CharField(max_length=40, default="", help_text="Of the orders it is the default for; empty: any")
    books_alone = models.BooleanField(
        default=False, help_text="Blocks it is the default of are booked without a person"
    )
    ended = models.BooleanField(default=False)
    request_id = models.UUIDField(null=True, help_text="The approved request; null in a first version of the house")
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "version"], name="allocations_scheme_version"),
        ]


class IntendedAllocation(models.Model):
    """Who an order was for, said before it traded. Append-only (trigger): of an order the newest version counts."""

    order_id = models.UUIDField()
    version = models.PositiveIntegerField()
    method = models.CharField(max_length=16)
    scheme = models.CharField(max_length=24, default="")
    lines = models.JSONField(default=list)
    parameters = models.JSONField(default=dict)
    stamped_by = models.TextField()
    stamped_at = models.DateTimeField()
    event_id = models.UUIDField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order_id", "version"], name="allocations_intended_version"),
        ]


class Block(FSMModelMixin, models.Model):
    """Executions of one account, side, instrument, day, settlement date, currency and capacity that are allocated together.

    ``direct``: of one order that was entered for the client's own account; it has one allocation and moves no money.
    ``cash`` is what its executions are booked at in its account, to the minor unit, without charges. A booked block whose lines are not
    all of its units and all of its money cannot be committed (trigger).
    """

    class Kind(models.TextChoices):
        BLOCK = "block"
        DIRECT = "direct"

    STATES = [(s, s.capitalize()) for s in (moves.FORMING, moves.READY, moves.BOOKED, moves.CHANGED, moves.DISSOLVED)]

    id = models.UUIDField(primary_key=True)
    number = models.BigIntegerField(unique=True, help_text="B-<number> is what people call it")
    key = models.CharField(max_length=160, help_text="What its executions have in common: found again, it is the same")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    account = models.ForeignKey(
        "accounts.TradingAccount", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    desk = models.ForeignKey("authorisation.Desk", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    listing = models.ForeignKey("refdata.Listing", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    instrument_id = models.UUIDField()
    side = models.CharField(max_length=1)
    currency = models.CharField(max_length=3)
    price_divisor = models.IntegerField(help_text="Price units in one of the currency: 100 for pence")
    capacity = models.CharField(max_length=1, default="A")
    session_group = models.CharField(max_length=24, default="", help_text="The counterparty it was executed with")
    trade_date = models.DateField()
    settlement_date = models.DateField()

    qty = models.DecimalField(default=0, **QTY)
    notional = models.DecimalField(default=0, help_text="Sum of quantity times price, exact", **NOTIONAL)
    avg_px = models.DecimalField(default=0, **AVG_PX)
    cash = models.DecimalField(default=0, **MONEY)
    fills = models.IntegerField(default=0)
    allocated_qty = models.DecimalField(
        default=0, db_default=0, help_text="Sum of its lines that stand, kept by the database alone", **QTY
    )
    allocated_cash = models.DecimalField(default=0, db_default=0, **MONEY)

    state = FSMField(max_length=10, choices=STATES, default=moves.FORMING)
    round = models.IntegerField(default=0, help_text="How often it was allocated")
    method = models.CharField(max_length=16, default="")
    scheme = models.CharField(max_length=24, default="")
    parameters = models.JSONField(default=dict)
    request_id = models.UUIDField(null=True, help_text="What waits for a second person")
    allocate_by = models.DateTimeField(null=True, help_text="Cut-off of its market; null where there is none")
    affirm_by = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    booked_at = models.DateTimeField(null=True)
    booked_by = models.TextField(default="")
    version = models.IntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key"], name="allocations_block_key"),
            models.CheckConstraint(condition=SIDES, name="allocations_block_side_known"),
            models.CheckConstraint(
                condition=Q(qty__gte=0, notional__gte=0, fills__gte=0), name="allocations_block_sums"
            ),
            models.CheckConstraint(
                condition=~Q(state=moves.DISSOLVED) | Q(qty=0), name="allocations_block_dissolved_is_empty"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["desk", "-trade_date", "-id"], name="allocations_block_day"),
            models.Index(
                fields=["state", "allocate_by"],
                name="allocations_block_open",
                condition=Q(state__in=[moves.FORMING, moves.READY, moves.CHANGED]),
            ),
            models.Index(fields=["account", "trade_date"], name="allocations_block_account"),
        ]

    @property
    def ref(self) -> str:
        """What people call it."""
        return f"B-{self.number}"

    @transition(field=state, source=moves.sources_of(moves.BLOCK, "complete"), target=moves.READY)
    def complete(self) -> None:
        """Nothing more can come."""

    @transition(field=state, source=moves.sources_of(moves.BLOCK, "reopen"), target=moves.FORMING)
    def reopen(self) -> None:
        """An order of it lives again."""

    @transition(field=state, source=moves.sources_of(moves.BLOCK, "book"), target=moves.BOOKED)
    def book(self) -> None:
        """All of it has an account."""

    @transition(field=state, source=moves.sources_of(moves.BLOCK, "change"), target=moves.CHANGED)
    def change(self) -> None:
        """Its executions are others than those that were booked."""

    @transition(field=state, source=moves.sources_of(moves.BLOCK, "dissolve"), target=moves.DISSOLVED)
    def dissolve(self) -> None:
        """Nothing of it is left."""

    @transition(field=state, source=moves.sources_of(moves.BLOCK, "revive"), target=moves.FORMING)
    def revive(self) -> None:
        """A late trade came."""


class BlockFill(models.Model):
    """An execution as its block counts it: its effective figures, and ``cash`` as booked. An execution is in one block."""

    execution_id = models.UUIDField(primary_key=True)
    block = models.ForeignKey(Block, on_delete=models.PROTECT, related_name="fill_rows", db_constraint=False)
    order_id = models.UUIDField()
    qty = models.DecimalField(**QTY)
    px = models.DecimalField(max_digits=20, decimal_places=8)
    cash = models.DecimalField(**MONEY)
    event_id = models.UUIDField(help_text="The event that said so last")
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(qty__gte=0), name="allocations_fill_not_negative")]
        indexes: ClassVar = [models.Index(fields=["order_id"], name="allocations_fill_order")]


class Allocation(FSMModelMixin, models.Model):
    """What one account got of a block in one round. Its figures never change (trigger): another round reverses and replaces it.

    ``is_rounding``: the line of the rounding account, without quantity, so that the lines are the block to the minor unit.
    ``parked``: the account failed a check, its share lies in a suspense account. ``compensates``: the settled one that it undoes in
    part or in whole, by a trade the other way, or adds to.
    """

    STATES = [(s, s.capitalize()) for s in (moves.BOOKED, moves.PARKED, moves.REVERSED, moves.COMPENSATED)]

    id = models.UUIDField(primary_key=True)
    number = models.BigIntegerField(unique=True, help_text="A-<number> is what people call it")
    block = models.ForeignKey(Block, on_delete=models.PROTECT, related_name="allocations", db_constraint=False)
    round = models.IntegerField()
    account = models.ForeignKey(
        "accounts.TradingAccount", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    booked_account_id = models.UUIDField(help_text="Where it was booked: the account, or suspense while it is parked")
    side = models.CharField(max_length=1)
    qty = models.DecimalField(**QTY)
    avg_px = models.DecimalField(**AVG_PX)
    gross = models.DecimalField(help_text="Signed, without charges", **MONEY)
    charges = models.JSONField(default=list, help_text="[kind, name, version, amount] each; a cost is positive")
    fees = models.DecimalField(default=0, help_text="All charges together; a cost is positive", **MONEY)
    net = models.DecimalField(help_text="gross less fees", **MONEY)
    is_rounding = models.BooleanField(default=False)
    trade_date = models.DateField()
    settlement_date = models.DateField()
    state = FSMField(max_length=12, choices=STATES, default=moves.BOOKED)
    reason = models.TextField(default="", help_text="Why it is parked, or what undid it")
    compensates = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="compensations")
    booked_event_id = models.UUIDField()
    ended_event_id = models.UUIDField(null=True)
    booked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["block", "account"],
                name="allocations_allocation_once",
                condition=Q(state__in=[moves.BOOKED, moves.PARKED], compensates__isnull=True, is_rounding=False),
            ),
            models.CheckConstraint(condition=SIDES, name="allocations_allocation_side_known"),
            models.CheckConstraint(
                condition=Q(qty__gt=0, is_rounding=False) | Q(qty=0, is_rounding=True),
                name="allocations_allocation_qty",
            ),
            models.CheckConstraint(condition=Q(net=F("gross") - F("fees")), name="allocations_allocation_net"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-trade_date"], name="allocations_by_account"),
            models.Index(fields=["trade_date", "settlement_date"], name="allocations_by_day"),
            BrinIndex(fields=["booked_at"], name="allocations_by_time", pages_per_range=32),
        ]

    @property
    def ref(self) -> str:
        """What people call it."""
        return f"A-{self.number}"

    @transition(field=state, source=moves.sources_of(moves.ALLOCATION, "release"), target=moves.BOOKED)
    def release(self) -> None:
        """Out of suspense."""

    @transition(field=state, source=moves.sources_of(moves.ALLOCATION, "reverse"), target=moves.REVERSED)
    def reverse(self) -> None:
        """Undone before it settled."""

    @transition(field=state, source=moves.sources_of(moves.ALLOCATION, "compensate"), target=moves.COMPENSATED)
    def compensate(self) -> None:
        """Undone after it settled."""
