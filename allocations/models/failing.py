"""What is done about a delivery that failed (buy-ins, step by step, each by two people), and what a day of it costs."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from allocations.domain import transitions as moves
from allocations.domain.buying_in import BEARERS
from allocations.models.columns import MONEY, QTY
from allocations.models.settling import SettlementInstruction


class PenaltyRate(models.Model):
    """What a settlement day of a fail costs on a market, where the house takes another rate than the published one
    (``data/penalty_rates.csv``). Append-only (trigger): of a scope the newest version counts whose ``valid_from`` is not after the
    day of settlement; changed by a second person's word."""

    mic = models.CharField(max_length=4)
    asset_class = models.CharField(max_length=12)
    bps = models.DecimalField(max_digits=8, decimal_places=4)
    valid_from = models.DateField(help_text="The first day of settlement it is for")
    source = models.CharField(max_length=200, help_text="Whose word it is")
    version = models.IntegerField()
    request_id = models.UUIDField(null=True)
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["mic", "asset_class", "version"], name="allocations_penaltyrate_version"),
            models.CheckConstraint(condition=Q(bps__gte=0, bps__lte=100), name="allocations_penaltyrate_sound"),
        ]


class BuyIn(FSMModelMixin, models.Model):
    """One buy-in of an instruction that failed; of an instruction one is open.

    ``qty`` and ``agent``: how much is to be bought in, and by whom. ``done_qty``, ``amount``, ``reference``: what was bought for how
    much, or the cash that was agreed in its place; ``difference`` is that beyond what was instructed for the same units, and
    ``bearer`` whose cash it left: the account's, the house's; empty where it ended before that was booked.
    """

    STATES = [(s, s.capitalize()) for s in (moves.INITIATED, moves.EXECUTED, moves.COMPENSATED, moves.WITHDRAWN)]

    id = models.UUIDField(primary_key=True)
    instruction = models.ForeignKey(SettlementInstruction, on_delete=models.PROTECT, related_name="buy_ins")
    state = FSMField(max_length=12, choices=STATES, default=moves.INITIATED)
    qty = models.DecimalField(**QTY)
    agent = models.CharField(max_length=60)
    done_qty = models.DecimalField(default=0, **QTY)
    amount = models.DecimalField(default=0, **MONEY)
    difference = models.DecimalField(default=0, **MONEY)
    reference = models.CharField(max_length=60, default="")
    bearer = models.CharField(
        max_length=8, default="", db_default="", choices=[(one, one) for one in BEARERS], blank=True
    )
    reason = models.TextField(help_text="Of the last step")
    initiated_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    request_id = models.UUIDField(
        null=True, help_text="The approved request of the last step; null where it ended by itself"
    )
    event_id = models.UUIDField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["instruction"], name="allocations_buyin_one_open", condition=Q(state=moves.INITIATED)
            ),
            models.CheckConstraint(
                condition=Q(qty__gt=0, done_qty__gte=0, done_qty__lte=models.F("qty"), amount__gte=0),
                name="allocations_buyin_positive",
            ),
        ]

    @transition(field=state, source=moves.sources_of(moves.BUY_IN, "execute"), target=moves.EXECUTED)
    def execute(self) -> None:
        """Bought from others."""

    @transition(field=state, source=moves.sources_of(moves.BUY_IN, "compensate"), target=moves.COMPENSATED)
    def compensate(self) -> None:
        """Cash in its place."""

    @transition(field=state, source=moves.sources_of(moves.BUY_IN, "withdraw"), target=moves.WITHDRAWN)
    def withdraw(self) -> None:
        """Delivered, undone, or called off."""
