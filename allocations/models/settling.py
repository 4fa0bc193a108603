"""Standing instructions, settlement instructions and what custodians said of them."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from allocations.domain import transitions as moves
from allocations.models.blocks import Allocation
from allocations.models.columns import MONEY, QTY
from refdata.models import CorporateAction


class StandingInstruction(models.Model):
    """Where an account's trades of a market and currency settle. Append-only (trigger): of a scope the newest version that is
    in force on the settlement date counts; changed by a second person's word."""

    account = models.ForeignKey("accounts.TradingAccount", on_delete=models.PROTECT, related_name="+")
    mic = models.CharField(max_length=4, default="", help_text="Empty: any market")
    currency = models.CharField(max_length=3)
    place = models.CharField(max_length=11, help_text="BIC of the depository (PSET)")
    agent = models.CharField(max_length=11, help_text="BIC of the custodian (DEAG or REAG)")
    safekeeping_account = models.CharField(max_length=35)
    cash_account = models.CharField(max_length=35)
    effective_from = models.DateField()
    effective_to = models.DateField(null=True, help_text="The last settlement date it is for")
    version = models.IntegerField()
    ended = models.BooleanField(default=False)
    request_id = models.UUIDField(null=True)
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "mic", "currency", "version"], name="allocations_ssi_version"),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
                name="allocations_ssi_from_before_to",
            ),
        ]


class SendingRule(models.Model):
    """When instructions of an account and a market leave (``domain.leaving``). Append-only (trigger): of a scope the newest version
    counts whose ``valid_from`` is not after the trade date; changed by a second person's word."""

    class Leaves(models.TextChoices):
        ON_AFFIRMATION = "on_affirmation"
        ON_BOOKING = "on_booking"

    account = models.CharField(max_length=24, default="", help_text="Code of the account; empty: any")
    mic = models.CharField(max_length=4, default="", help_text="Empty: any market")
    leaves = models.CharField(max_length=16, choices=Leaves.choices)
    valid_from = models.DateField(help_text="The first trade date it is for")
    version = models.IntegerField()
    request_id = models.UUIDField(null=True, help_text="The approved request; null in a first version of the house")
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "mic", "version"], name="allocations_sendingrule_version"),
        ]


class SettlementInstruction(FSMModelMixin, models.Model):
    """Delivery or receipt of one allocation against payment. What it asks never changes (trigger): a change cancels and makes
    the next version. ``qty`` units; ``amount`` is money, positive, and goes the other way than the stock."""

    class Delivery(models.TextChoices):
        DELIVER = "DELI", "Deliver"
        RECEIVE = "RECE", "Receive"

    class BuyIn(models.TextChoices):
        NONE = ""
        DUE = "due"
        STARTED = "started"
        EXECUTED = "executed"
        CASH = "cash", "Cash in its place"

    STATES = [
        (s, s.capitalize())
        for s in (
            moves.WAITING,
            moves.INSTRUCTED,
            moves.MATCHED,
            moves.PENDING,
            moves.PARTIAL,
            moves.SETTLED,
            moves.FAILED,
            moves.REJECTED,
            moves.CANCELED,
        )
    ]

    id = models.UUIDField(primary_key=True)
    ref = models.CharField(
        max_length=16, unique=True, help_text="TxId of sese.023: S<number of the allocation>-<version>"
    )
    allocation = models.ForeignKey(
        Allocation, on_delete=models.PROTECT, related_name="instructions", db_constraint=False
    )
    version = models.PositiveIntegerField()
    replaces = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="replaced_by")
    transforms = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="transformed_by",
        help_text="What it is in other shares",
    )
    action = models.ForeignKey(
        CorporateAction, null=True, on_delete=models.PROTECT, related_name="+", help_text="For which it transforms that"
    )
    of_qty = models.DecimalField(null=True, **QTY, help_text="Units of the other that were open, in its shares")
    taken_into = models.JSONField(
        default=list, db_default=models.Value([], models.JSONField()), help_text="Actions whose shares it is in, by id"
    )
    shares_until = models.DateTimeField(
        null=True, help_text="It was transformed: what changed hands from then on did so in other shares"
    )
    account = models.ForeignKey(
        "accounts.TradingAccount", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    instrument_id = models.UUIDField()
    delivery = models.CharField(max_length=4, choices=Delivery.choices)
    qty = models.DecimalField(**QTY)
    amount = models.DecimalField(**MONEY)
    currency = models.CharField(max_length=3)
    trade_date = models.DateField()
    settlement_date = models.DateField()
    standing = models.ForeignKey(StandingInstruction, null=True, on_delete=models.PROTECT, related_name="+")
    counterparty = models.CharField(max_length=24, default="")
    state = FSMField(max_length=10, choices=STATES, default=moves.WAITING)
    settled_qty = models.DecimalField(default=0, **QTY)
    settled_amount = models.DecimalField(default=0, **MONEY)
    reason_code = models.CharField(max_length=8, default="")
    reason = models.TextField(default="")
    buy_in = models.CharField(max_length=8, choices=BuyIn.choices, default=BuyIn.NONE, blank=True)
    buy_in_on = models.DateField(null=True, help_text="From when it may or must be bought in")
    created_at = models.DateTimeField()
    instructed_at = models.DateTimeField(null=True)
    matched_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    failing_since = models.DateField(null=True)
    held_at = models.DateTimeField(null=True, help_text="Since when a person holds it back; it does not leave")
    held_by = models.TextField(default="", db_default="")
    held_why = models.TextField(default="", db_default="")
    closed_at = models.DateTimeField(null=True)
    event_id = models.UUIDField(help_text="The event that moved it last")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["allocation", "version"], name="allocations_instruction_version"),
            models.UniqueConstraint(
                fields=["allocation"],
                name="allocations_instruction_one_open",
                condition=~Q(state=moves.CANCELED),
            ),
            models.CheckConstraint(condition=Q(qty__gt=0, amount__gte=0), name="allocations_instruction_positive"),
            models.CheckConstraint(
                condition=Q(settled_qty__gte=0, settled_qty__lte=F("qty"), settled_amount__gte=0),
                name="allocations_instruction_settled_within",
            ),
            models.CheckConstraint(
                condition=~Q(state=moves.SETTLED) | Q(settled_qty=F("qty")),
                name="allocations_instruction_settled_whole",
            ),
            models.CheckConstraint(
                condition=Q(held_at__isnull=True) | Q(state__in=[moves.WAITING, moves.CANCELED]),
                name="allocations_instruction_held_waits",
            ),
            models.CheckConstraint(
                condition=Q(transforms__isnull=True, action__isnull=True, of_qty__isnull=True)
                | Q(transforms__isnull=False, action__isnull=False, of_qty__gt=0),
                name="allocations_instruction_transforms_whole",
            ),
            models.CheckConstraint(
                condition=Q(shares_until__isnull=True) | Q(state__in=[moves.SETTLED, moves.CANCELED]),
                name="allocations_instruction_transformed_ends",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["settlement_date"],
                name="allocations_instruction_open",
                condition=~Q(state__in=[moves.SETTLED, moves.CANCELED]),
            ),
            models.Index(fields=["account", "-settlement_date"], name="allocations_instruction_acct"),
        ]

    @property
    def open_qty(self) -> Decimal:
        """Units that have not changed hands."""
        return Decimal(self.qty) - Decimal(self.settled_qty)

    @property
    def open_amount(self) -> Decimal:
        """Money that has not changed hands; negative where more was paid than instructed."""
        return Decimal(self.amount) - Decimal(self.settled_amount)

    @transition(field=state, source=moves.sources_of(moves.INSTRUCTION, "instruct"), target=moves.INSTRUCTED)
    def instruct(self) -> None:
        """Sent to the custodian."""

    @transition(field=state, source=moves.sources_of(moves.INSTRUCTION, "match"), target=moves.MATCHED)
    def match(self) -> None:
        """The other side's was found."""

    @transition(field=state, source=moves.sources_of(moves.INSTRUCTION, "wait"), target=moves.PENDING)
    def wait(self) -> None:
        """Accepted, not settled yet."""

    @transition(field=state, source=moves.sources_of(moves.INSTRUCTION, "settle_part"), target=moves.PARTIAL)
    def settle_part(self) -> None:
        """Some of it changed hands."""

    @transition(field=state, source=moves.sources_of(moves.INSTRUCTION, "settle"), target=moves.SETTLED)
    def settle(self) -> None:
        """All of it changed hands."""

    @transition(field=state, source=moves.sources_of(moves.INSTRUCTION, "settle_itself"), target=moves.SETTLED)
    def settle_itself(self) -> None:
        """Under the reference before it."""

    @transition(field=state, source=moves.sources_of(moves.INSTRUCTION, "turn_out_settled"), target=moves.SETTLED)
    def turn_out_settled(self) -> None:
        """Before its shares became others."""

    @transition(field=state, source=moves.sources_of(moves.INSTRUCTION, "transform"), target=moves.CANCELED)
    def transform(self) -> None:
        """Instructed in other shares."""

    @transition(field=state, source=moves.sources_of(moves.INSTRUCTION, "fail"), target=moves.FAILED)
    def fail(self) -> None:
        """Its day has passed."""

    @transition(field=state, source=moves.sources_of(moves.INSTRUCTION, "reject"), target=moves.REJECTED)
    def reject(self) -> None:
        """The custodian does not take it."""

    @transition(field=state, source=moves.sources_of(moves.INSTRUCTION, "cancel"), target=moves.CANCELED)
    def cancel(self) -> None:
        """What it settles is undone."""


class SettlementFile(FSMModelMixin, models.Model):
    """What went to a custodian, byte for byte (trigger): made with the states it tells of, then written to its folder once.

    ``place`` is below the outgoing folder; ``instructions`` the refs in it, in order.
    """

    class Kind(models.TextChoices):
        SESE_023 = "sese.023", "Instructions, sese.023"
        SESE_020 = "sese.020", "Cancellations, sese.020"
        CSV = "csv", "Instructions and cancellations, CSV"

    STATES = [(s, s.capitalize()) for s in (moves.MADE, moves.WRITTEN)]

    id = models.UUIDField(primary_key=True)
    place = models.CharField(max_length=120, unique=True)
    agent = models.CharField(max_length=11)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    content = models.TextField()
    sha256 = models.CharField(max_length=64)
    instructions = models.JSONField(default=list)
    state = FSMField(max_length=8, choices=STATES, default=moves.MADE)
    made_at = models.DateTimeField()
    written_at = models.DateTimeField(null=True)
    event_id = models.UUIDField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["made_at"], name="allocations_settlementfile_due", condition=Q(state=moves.MADE)),
        ]

    @transition(field=state, source=moves.sources_of(moves.SETTLEMENT_FILE, "write"), target=moves.WRITTEN)
    def write(self) -> None:
        """It lies in its folder."""


class SettlementStatus(models.Model):
    """What a custodian or depository said, as it came. Append-only (trigger). ``instruction`` null: it names none of ours."""

    id = models.UUIDField(primary_key=True)
    instruction = models.ForeignKey(
        SettlementInstruction, null=True, on_delete=models.PROTECT, related_name="statuses", db_constraint=False
    )
    source = models.CharField(max_length=40)
    origin = models.CharField(max_length=100, help_text="message:<id> or file:<sha256>:<line>")
    our_ref = models.CharField(max_length=35, default="")
    their_ref = models.CharField(max_length=35, default="")
    status = models.CharField(max_length=10, help_text="matched, pending, partial, settled, failed, rejected, canceled")
    qty = models.DecimalField(null=True, **QTY)
    amount = models.DecimalField(null=True, **MONEY)
    currency = models.CharField(max_length=3, default="")
    reason_code = models.CharField(max_length=8, default="")
    reason = models.TextField(default="")
    raw = models.TextField(default="", help_text="The record as it came")
    effective_at = models.DateTimeField()
    received_at = models.DateTimeField()
    event_id = models.UUIDField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "origin"], name="allocations_status_once"),
        ]
