"""Confirmations: what we say a client's trade came to, what the other side says, and whether both agree in time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django_fsm import FSMField, FSMModelMixin, transition

from allocations.domain import transitions as moves
from allocations.models.blocks import Allocation
from allocations.models.columns import MONEY


class Confirmation(FSMModelMixin, models.Model):
    """One allocation as two parties confirm it. Of an allocation one is open; a change cancels it and makes the next version.

    ``role``: *broker* sends confirmations (35=AK) and waits for the affirmation (35=AU), *buy_side* receives and affirms.
    """

    class Role(models.TextChoices):
        BUY_SIDE = "buy_side", "Buy side"
        BROKER = "broker"

    class Channel(models.TextChoices):
        FIX = "fix", "FIX"
        FILE = "file"
        NONE = "none", "By hand"

    STATES = [
        (s, s.capitalize())
        for s in (
            moves.WAITING,
            moves.SENT,
            moves.MATCHED,
            moves.MISMATCHED,
            moves.AFFIRMED,
            moves.REJECTED,
            moves.CANCELED,
        )
    ]

    id = models.UUIDField(primary_key=True)
    ref = models.CharField(
        max_length=32, unique=True, help_text="ConfirmID (664): C-<number of the allocation>-<version>"
    )
    allocation = models.ForeignKey(
        Allocation, on_delete=models.PROTECT, related_name="confirmations", db_constraint=False
    )
    version = models.PositiveIntegerField()
    replaces = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="replaced_by")
    counterparty = models.CharField(max_length=24)
    role = models.CharField(max_length=8, choices=Role.choices)
    channel = models.CharField(max_length=4, choices=Channel.choices)
    state = FSMField(max_length=10, choices=STATES, default=moves.WAITING)
    differences = models.JSONField(default=list, help_text="[field, ours, theirs, difference, allowed] each")
    reason = models.TextField(default="")
    sent_in = models.CharField(
        max_length=40,
        default="",
        db_default="",
        help_text="AllocID (70) or AllocReportID (755) of the message it left in",
    )
    affirm_by = models.DateTimeField(null=True)
    late_party = models.CharField(
        max_length=8, default="", help_text="ours or theirs: whose word was missing at the cut-off"
    )
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    matched_at = models.DateTimeField(null=True)
    affirmed_at = models.DateTimeField(null=True)
    affirmed_by = models.TextField(default="")
    closed_at = models.DateTimeField(null=True)
    event_id = models.UUIDField(help_text="The event that moved it last")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["allocation", "version"], name="allocations_confirmation_version"),
            models.UniqueConstraint(
                fields=["allocation"],
                name="allocations_confirmation_one_open",
                condition=~Q(state=moves.CANCELED),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["affirm_by"],
                name="allocations_confirmation_open",
                condition=~Q(state__in=[moves.AFFIRMED, moves.CANCELED]),
            ),
            models.Index(fields=["counterparty", "-created_at"], name="allocations_confirmation_party"),
        ]

    @transition(field=state, source=moves.sources_of(moves.CONFIRMATION, "send"), target=moves.SENT)
    def send(self) -> None:
        """Ours left."""

    @transition(field=state, source=moves.sources_of(moves.CONFIRMATION, "match"), target=moves.MATCHED)
    def match(self) -> None:
        """Theirs says the same."""

    @transition(field=state, source=moves.sources_of(moves.CONFIRMATION, "mismatch"), target=moves.MISMATCHED)
    def mismatch(self) -> None:
        """Theirs says something else."""

    @transition(field=state, source=moves.sources_of(moves.CONFIRMATION, "affirm"), target=moves.AFFIRMED)
    def affirm(self) -> None:
        """Agreed."""

    @transition(field=state, source=moves.sources_of(moves.CONFIRMATION, "reject"), target=moves.REJECTED)
    def reject(self) -> None:
        """The other side said no."""

    @transition(field=state, source=moves.sources_of(moves.CONFIRMATION, "cancel"), target=moves.CANCELED)
    def cancel(self) -> None:
        """What it confirmed is undone."""


class CounterpartyRecord(models.Model):
    """What a counterparty says of a trade, by message or file, as it came. What it says never changes; whom it pairs with may."""

    class State(models.TextChoices):
        UNPAIRED = "unpaired"
        PAIRED = "paired"
        SUPERSEDED = "superseded", "Replaced or canceled by the counterparty"

    id = models.UUIDField(primary_key=True)
    counterparty = models.CharField(max_length=24)
    kind = models.CharField(max_length=24, help_text="kernel.post_trade.MessageKind")
    their_ref = models.CharField(max_length=64)
    trans_type = models.CharField(max_length=8, help_text="new, replace, cancel")
    says = models.JSONField(help_text="kernel.post_trade.PostTradeMessage as JSON")
    source = models.CharField(max_length=80, help_text="fix:<wire message id> or file:<sha256>:<line>")
    state = models.CharField(max_length=10, choices=State.choices, default=State.UNPAIRED)
    why = models.TextField(default="", db_default="", help_text="Why it is unpaired, or who paired it by hand and why")
    by_hand = models.BooleanField(default=False, db_default=False, help_text="A person said whom it is about")
    confirmation = models.ForeignKey(Confirmation, null=True, on_delete=models.PROTECT, related_name="records")
    received_at = models.DateTimeField()
    event_id = models.UUIDField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["counterparty", "source"], name="allocations_record_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["counterparty", "their_ref"], name="allocations_record_ref"),
            models.Index(fields=["counterparty"], name="allocations_record_unpaired", condition=Q(state="unpaired")),
            models.Index(
                F("counterparty"), KT("says__ref_of"), name="allocations_record_ends", condition=~Q(trans_type="new")
            ),
        ]


class MatchTolerance(models.Model):
    """By how much a field of a confirmation may differ and still agree. Append-only (trigger): the newest version counts.

    The larger of ``amount`` and ``bps`` of ours is allowed. ``auto_affirm`` (field ``*``): a match needs nobody.
    """

    counterparty = models.CharField(max_length=24, default="", help_text="Empty: any")
    field = models.CharField(max_length=24, help_text="qty, avg_px, gross, commission, fees, net, settlement_date, *")
    currency = models.CharField(max_length=3, default="")
    amount = models.DecimalField(default=0, **MONEY)
    bps = models.DecimalField(default=0, **MONEY)
    auto_affirm = models.BooleanField(default=False)
    version = models.IntegerField()
    request_id = models.UUIDField(null=True)
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["counterparty", "field", "currency", "version"], name="allocations_tolerance_version"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0, bps__gte=0), name="allocations_tolerance_not_negative"),
        ]


class CounterpartyTerms(models.Model):
    """How we confirm with a counterparty. Append-only (trigger): the newest version counts; without one ``domain.terms.DEFAULT``.

    ``confirms_direct``: trades of orders that were entered for a client's own account are confirmed as well; where not, their
    execution reports and the counterparty's files of executions are the agreement.
    """

    counterparty = models.CharField(max_length=24)
    role = models.CharField(max_length=8, choices=Confirmation.Role.choices)
    channel = models.CharField(max_length=4, choices=Confirmation.Channel.choices)
    confirms_direct = models.BooleanField(default=False)
    version = models.IntegerField()
    request_id = models.UUIDField(null=True, help_text="The approved request; null in a first version of the house")
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["counterparty", "version"], name="allocations_terms_version"),
        ]
