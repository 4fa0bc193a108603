"""Contract notes, and the feed of trades that other systems read."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from allocations.domain import transitions as moves
from allocations.domain.notes import note_number
from allocations.models.blocks import Allocation


class NoteSeries(models.Model):
    """A numbering without gaps. Its row is locked while a number is given; the number and its note commit together."""

    code = models.CharField(max_length=16, primary_key=True)
    last_number = models.BigIntegerField(default=0)


class ContractNote(FSMModelMixin, models.Model):
    """What a client was told of its trades of a day on a market, or of one. Issued once, byte for byte reproducible from ``facts``.

    One that ``cancels`` another tells that nothing of it stands and replaces nothing; it is never canceled itself. Of an account,
    day and market one day's note is live. ``stale_at``: a trade of it was undone since; it is about to be replaced.
    """

    class Scope(models.TextChoices):
        DAY = "day", "All trades of an account and day"
        TRADE = "trade", "One trade"

    STATES = [(moves.ISSUED, "Issued"), (moves.CANCELED, "Canceled")]

    id = models.UUIDField(primary_key=True)
    series = models.ForeignKey(NoteSeries, on_delete=models.PROTECT, related_name="+")
    number = models.BigIntegerField()
    account = models.ForeignKey("accounts.TradingAccount", on_delete=models.PROTECT, related_name="+")
    trade_date = models.DateField()
    mic = models.CharField(max_length=4, default="", db_default="")
    scope = models.CharField(max_length=5, choices=Scope.choices)
    regime = models.CharField(max_length=8, help_text="UK, EU, US, AU: which fields, and by when")
    due_at = models.DateTimeField(null=True, help_text="By when it must have been issued")
    allocations = models.ManyToManyField(Allocation, related_name="notes")
    replaces = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="replaced_by")
    cancels = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="canceled_by")
    facts = models.JSONField(help_text="All that is printed")
    facts_sha256 = models.BinaryField()
    pdf_sha256 = models.BinaryField()
    template_version = models.IntegerField()
    state = FSMField(max_length=8, choices=STATES, default=moves.ISSUED)
    reason = models.TextField(default="")
    issued_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    event_id = models.UUIDField()
    stale_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True, help_text="Its file was written to the outgoing directory")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["series", "number"], name="allocations_note_number"),
            models.CheckConstraint(condition=Q(number__gt=0), name="allocations_note_number_positive"),
            models.CheckConstraint(
                condition=Q(replaces__isnull=True) | Q(cancels__isnull=True),
                name="allocations_note_replaces_or_cancels",
            ),
            models.UniqueConstraint(
                fields=["account", "trade_date", "mic"],
                name="allocations_note_one_live",
                condition=Q(state=moves.ISSUED, scope="day", cancels__isnull=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-trade_date"], name="allocations_note_account"),
            models.Index(fields=["-issued_at"], name="allocations_note_issued"),
            models.Index(fields=["series"], name="allocations_note_to_deliver", condition=Q(delivered_at__isnull=True)),
            models.Index(fields=["account"], name="allocations_note_stale", condition=Q(stale_at__isnull=False)),
        ]

    @property
    def ref(self) -> str:
        """As it is printed and said: UK-000123."""
        return note_number(self.series_id, self.number)

    @transition(field=state, source=moves.sources_of(moves.NOTE, "cancel"), target=moves.CANCELED)
    def cancel(self) -> None:
        """Replaced, or what it tells is undone."""


class FeedEntry(models.Model):
    """One line of the trade feed. Append-only (trigger). ``position`` has no gap: a reader that has n needs what follows n.

    A trade is told once as *new*; what becomes of it are a *correction* (whole, with what it replaces) or a *cancel*.
    """

    class What(models.TextChoices):
        NEW = "new"
        CORRECTION = "correction"
        CANCEL = "cancel"

    position = models.BigIntegerField(primary_key=True)
    what = models.CharField(max_length=10, choices=What.choices)
    trade_ref = models.CharField(
        max_length=32, help_text="The name of the trade outside; the same in all that becomes of it"
    )
    version = models.PositiveIntegerField()
    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="feed", db_constraint=False)
    payload = models.JSONField()
    event_id = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["trade_ref", "version"], name="allocations_feed_version"),
            models.UniqueConstraint(
                fields=["allocation", "what"], name="allocations_feed_once", condition=~Q(what="correction")
            ),
        ]
