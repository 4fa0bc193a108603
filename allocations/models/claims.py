"""Market claims: money or shares of a corporate action that the other side of an unsettled trade owes, or is owed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from accounts.models import TradingAccount
from allocations.domain import transitions as moves
from allocations.models.columns import MONEY, QTY
from allocations.models.settling import SettlementInstruction
from kernel.numbers import plain
from refdata.models import CorporateAction

OPEN = (moves.RAISED, moves.AGREED, moves.DISPUTED)


class Claim(FSMModelMixin, models.Model):
    """What one instruction owes for one action, beyond what its ended claims settled; of both one is open.

    ``units`` and ``amount`` are signed: above zero it is owed to us. Without a currency ``amount`` is in shares of the instrument.
    """

    STATES: ClassVar = [
        (moves.RAISED, "Raised"),
        (moves.AGREED, "Agreed"),
        (moves.DISPUTED, "Disputed"),
        (moves.PAID, "Paid"),
        (moves.WRITTEN_OFF, "Written off"),
        (moves.WITHDRAWN, "Withdrawn"),
    ]

    id = models.UUIDField(primary_key=True)
    number = models.BigIntegerField(unique=True)
    action = models.ForeignKey(CorporateAction, on_delete=models.PROTECT, related_name="+")
    instruction = models.ForeignKey(SettlementInstruction, on_delete=models.PROTECT, related_name="claims")
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="+")
    counterparty = models.CharField(max_length=24, blank=True)
    state = FSMField(max_length=12, choices=STATES, default=moves.RAISED)
    units = models.DecimalField(**QTY)
    amount = models.DecimalField(**MONEY)
    currency = models.CharField(max_length=3, blank=True)
    expected_on = models.DateField(help_text="The day after the payment: from then on it ages")
    paid_on = models.DateField(null=True)
    reference = models.CharField(max_length=60, default="")
    reason = models.TextField(default="", help_text="Of the last step")
    raised_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    request_id = models.UUIDField(null=True, help_text="The approved request that paid it or wrote it off")
    event_id = models.UUIDField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["action", "instruction"], name="allocations_claim_one_open", condition=Q(state__in=OPEN)
            ),
            models.CheckConstraint(
                condition=Q(state__in=[*OPEN, moves.WITHDRAWN]) | Q(request_id__isnull=False),
                name="allocations_claim_ended_by_two",
            ),
            models.CheckConstraint(
                condition=~Q(state=moves.PAID) | (Q(paid_on__isnull=False) & ~Q(reference="")),
                name="allocations_claim_paid_says_how",
            ),
        ]

    @property
    def ref(self) -> str:
        """As people name it."""
        return f"MC-{self.number}"

    @property
    def said(self) -> str:
        """What is owed, in words."""
        return f"{plain(self.amount)} {self.currency or 'shares'}"

    @transition(field=state, source=moves.sources_of(moves.CLAIM, "agree"), target=moves.AGREED)
    def agree(self) -> None:
        """By word of the other side."""

    @transition(field=state, source=moves.sources_of(moves.CLAIM, "dispute"), target=moves.DISPUTED)
    def dispute(self) -> None:
        """By word of the other side."""

    @transition(field=state, source=moves.sources_of(moves.CLAIM, "revise"), target=moves.RAISED)
    def revise(self) -> None:
        """Its amount is another."""

    @transition(field=state, source=moves.sources_of(moves.CLAIM, "pay"), target=moves.PAID)
    def pay(self) -> None:
        """By two people."""

    @transition(field=state, source=moves.sources_of(moves.CLAIM, "write_off"), target=moves.WRITTEN_OFF)
    def write_off(self) -> None:
        """By two people."""

    @transition(field=state, source=moves.sources_of(moves.CLAIM, "withdraw"), target=moves.WITHDRAWN)
    def withdraw(self) -> None:
        """Nothing is owed."""
