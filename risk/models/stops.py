"""Whatever stops trading, and what lets pass in spite of it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from risk.domain.breakers import BY_NAME as BREAKER_MOVES
from risk.domain.breakers import CLOSED
from risk.models.scopes import POSITION, Scope


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
