"""Instruments, where they are listed, in which steps they trade, when markets are open. Validated, never guessed."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models.functions import Greatest, Least
from django_fsm import FSMField, FSMModelMixin, transition
from simple_history.models import HistoricalRecords

from kernel.ids import new_id
from refdata.domain import action_transitions as moves
from refdata.domain.quality import Quality


class Market(models.Model):
    """A trading venue segment by ISO 10383 MIC."""

    mic = models.CharField(max_length=4, primary_key=True)
    name = models.CharField(max_length=80)
    country = models.CharField(max_length=2)
    time_zone = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    calendar_code = models.CharField(max_length=12)
    opening_auction_s = models.PositiveIntegerField(default=0, help_text="Orders collect this long before the open")
    closing_auction_s = models.PositiveIntegerField(default=0, help_text="Orders collect this long after the close")
    settlement_calendar = models.CharField(max_length=8, help_text="Depository and currency: UK, T2, US, AU")
    settlement_days = models.PositiveSmallIntegerField(help_text="Where no dated cycle says otherwise")
    ord_types = models.JSONField(default=list)
    times_in_force = models.JSONField(default=list)
    always_open = models.BooleanField(default=False, help_text="Demo and test markets trade round the clock.")
    version = models.UUIDField(default=new_id, help_text="New with every change of calendar or cycle")
    history = HistoricalRecords()
    _history_date: datetime
    _change_reason: str

    def __str__(self) -> str:
        return self.mic

    def renew(self, *, at: datetime, reason: str) -> None:
        """Save under a new version, with one history row dated ``at``: readers drop what they cached."""
        self.version = new_id()
        self._history_date = at
        self._change_reason = reason[:100]
        self.save()


class MarketDay(models.Model):
    """One calendar day of a market: a session with its times, or a holiday with its name."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    date = models.DateField()
    is_session = models.BooleanField()
    open_at = models.DateTimeField(null=True)
    close_at = models.DateTimeField(null=True)
    name = models.CharField(max_length=80, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["market", "date"], name="refdata_marketday_once"),
            models.CheckConstraint(
                condition=models.Q(is_session=False)
                | models.Q(open_at__isnull=False, close_at__gt=models.F("open_at")),
                name="refdata_marketday_session_has_times",
            ),
        ]


class SettlementHoliday(models.Model):
    """A weekday on which a depository or its payment system is shut. Trading days are another matter."""

    calendar = models.CharField(max_length=8)
    date = models.DateField()
    name = models.CharField(max_length=80)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["calendar", "date"], name="refdata_settlementholiday_once"),
        ]


class SettlementCycle(models.Model):
    """From this trade date on, trades of the market settle after so many settlement days."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="cycles")
    valid_from = models.DateField()
    days = models.PositiveSmallIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["market", "valid_from"], name="refdata_settlementcycle_once"),
        ]


class TickTable(models.Model):
    """Named price steps: from each lower bound on, prices are multiples of its tick."""

    name = models.CharField(max_length=40, unique=True)
    version = models.UUIDField(default=new_id, help_text="New with every change of a band")

    def __str__(self) -> str:
        return self.name


class TickBand(models.Model):
    table = models.ForeignKey(TickTable, on_delete=models.CASCADE, related_name="bands")
    price_from = models.DecimalField(max_digits=20, decimal_places=8)
    tick = models.DecimalField(max_digits=20, decimal_places=8)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["table", "price_from"], name="refdata_tickband_once"),
            models.CheckConstraint(condition=models.Q(tick__gt=0), name="refdata_tickband_positive"),
        ]


class Instrument(models.Model):
    """A security by ISIN (ISO 6166)."""

    class AssetClass(models.TextChoices):
        EQUITY = "equity"
        ETF = "etf"

    id = models.UUIDField(primary_key=True)
    isin = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120)
    asset_class = models.CharField(max_length=12, choices=AssetClass.choices, default=AssetClass.EQUITY)
    active = models.BooleanField(default=True)
    history = HistoricalRecords()

    class Meta:
        permissions: ClassVar = [
            ("ask_static_data", "May ask for changes of static data and for corporate actions"),
        ]

    def __str__(self) -> str:
        return self.isin


class Listing(models.Model):
    """An instrument on a market: what is actually traded."""

    class State(models.TextChoices):
        TRADING = "trading"
        HALTED = "halted"
        SUSPENDED = "suspended"

    id = models.UUIDField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="listings")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="listings")
    symbol = models.CharField(max_length=24, unique=True, help_text="As people type it: VOD.L, MSFT, CBA.AX")
    venue_symbol = models.CharField(max_length=24)
    currency = models.CharField(max_length=3, help_text="ISO 4217 settlement currency")
    price_unit = models.CharField(max_length=3, help_text="GBX for pence, else the currency")
    price_divisor = models.PositiveSmallIntegerField(default=1, help_text="100 where the price is in pence")
    tick_table = models.ForeignKey(TickTable, on_delete=models.PROTECT)
    lot_size = models.DecimalField(max_digits=20, decimal_places=8, default=1)
    state = models.CharField(max_length=12, choices=State.choices, default=State.TRADING)
    average_daily_volume = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    version = models.IntegerField(default=1)
    history = HistoricalRecords()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["market", "venue_symbol"], name="refdata_listing_venue_symbol"),
            models.CheckConstraint(condition=models.Q(lot_size__gt=0), name="refdata_listing_lot_positive"),
            models.CheckConstraint(condition=models.Q(price_divisor__in=[1, 100]), name="refdata_listing_divisor"),
        ]

    def __str__(self) -> str:
        return self.symbol


class PriceSource(models.Model):
    """A feed of prices, when it last spoke, and by which marks its ticks are judged."""

    code = models.CharField(max_length=24, primary_key=True)
    session = models.UUIDField(null=True, help_text="The connection it speaks on; another one vouches for nothing old")
    heartbeat_at = models.DateTimeField(null=True, help_text="Its last word of any kind")
    silent_since = models.DateTimeField(null=True, help_text="Set while it is silent in an open market")
    silent_after_s = models.PositiveIntegerField(default=15, db_default=15)
    jump_band = models.DecimalField(
        max_digits=6, decimal_places=4, default=Decimal("0.1000"), db_default=Decimal("0.1000"),
        help_text="Fraction of the last good price beyond which a tick is suspect",
    )  # fmt: skip
    confirming_ticks = models.PositiveSmallIntegerField(
        default=3, db_default=3, help_text="So many ticks near a suspect one make it good"
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(jump_band__gt=0, jump_band__lt=1), name="refdata_pricesource_band"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class ReferencePrice(models.Model):
    """The latest good price known of a listing, in its price unit, who vouches for it, and whether it is in doubt.

    ``last``, ``bid`` and ``ask`` are always good figures: while ``quality`` is suspect they are those of before, and
    what is doubted stands beside them.
    """

    listing = models.OneToOneField(Listing, on_delete=models.CASCADE, primary_key=True)
    last = models.DecimalField(max_digits=20, decimal_places=8)
    bid = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    ask = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    bid_size = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    ask_size = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    previous_close = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    phase = models.CharField(max_length=16, default="", db_default="", help_text="The venue's word; empty when untold")
    quality = models.CharField(max_length=8, default=Quality.GOOD.value, db_default=Quality.GOOD.value)
    suspicion = models.CharField(max_length=24, default="", db_default="", help_text="Why the latest tick is doubted")
    doubted_last = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    doubted_at = models.DateTimeField(null=True, help_text="When the doubted tick was made")
    doubted_tick = models.UUIDField(null=True)
    witnesses = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Ticks that agree with the doubted")
    source = models.CharField(max_length=24)
    priced_at = models.DateTimeField()
    tick = models.UUIDField(null=True, help_text="The tick of these figures")
    session = models.UUIDField(null=True, help_text="The feed's connection that last told or confirmed them")

    class Meta:
        permissions: ClassVar = [("judge_price", "May say whether a price in doubt is good")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(last__gt=0), name="refdata_referenceprice_positive"),
            models.CheckConstraint(
                condition=models.Q(quality__in=["good", "suspect", "missing"]), name="refdata_referenceprice_quality"
            ),
            models.CheckConstraint(
                condition=models.Q(quality="suspect") | models.Q(suspicion="", doubted_tick__isnull=True),
                name="refdata_referenceprice_doubt",
            ),
        ]


class PriceTick(models.Model):
    """What a feed said of a listing, in its price unit: kept so that it can be shown which price a decision saw.

    Never changed; deleted only when older than ``KEPT_AT_LEAST`` (trigger), by the purge, which says what went.
    """

    KEPT_AT_LEAST = timedelta(days=7)

    id = models.UUIDField(primary_key=True)
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, db_index=False, related_name="+")
    source = models.CharField(max_length=24)
    session = models.UUIDField(null=True)
    made_at = models.DateTimeField(help_text="By the feed's word")
    received_at = models.DateTimeField()
    last = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    bid = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    ask = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    bid_size = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    ask_size = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    previous_close = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    phase = models.CharField(max_length=16, default="", db_default="")
    outcome = models.CharField(max_length=12, help_text="What it did when it was judged")
    doubt = models.CharField(max_length=24, default="", db_default="", help_text="Why it was not believed")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["listing", "id"], name="refdata_pricetick_listing")]

    def __str__(self) -> str:
        return str(self.id)


class StaticVersion(models.Model):
    """The version of a set of static data that processes cache whole: new with every change, in the same transaction.

    Readers take it along with what they read anyway and drop what they cached under another.
    """

    name = models.CharField(max_length=24, primary_key=True)
    version = models.UUIDField()

    def __str__(self) -> str:
        return self.name


class FxRate(models.Model):
    """What one unit of ``base`` is worth in ``quote``, who said so and when, and how long that may be used.

    A pair is kept in one direction only; the other is its inverse. Earlier rates are in the journal (FxRatesSet).
    """

    id = models.BigAutoField(primary_key=True)
    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=24, decimal_places=10)
    source = models.CharField(max_length=24)
    quoted_at = models.DateTimeField()
    max_age_s = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                Least("base", "quote"), Greatest("base", "quote"), name="refdata_fxrate_one_direction"
            ),
            models.UniqueConstraint(fields=["base", "quote"], name="refdata_fxrate_once"),
            models.CheckConstraint(condition=models.Q(rate__gt=0, max_age_s__gt=0), name="refdata_fxrate_positive"),
            models.CheckConstraint(condition=~models.Q(base=models.F("quote")), name="refdata_fxrate_two_currencies"),
        ]

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}"


class CorporateAction(FSMModelMixin, models.Model):
    """A notice of an issuer and how far it is carried out. Its terms are versions; rows are never deleted (trigger)."""

    class Kind(models.TextChoices):
        SPLIT = "split", "Split"
        REVERSE_SPLIT = "reverse_split", "Reverse split"
        CASH_DIVIDEND = "cash_dividend", "Cash dividend"
        NAME_CHANGE = "name_change", "Symbol or ISIN change"

    class State(models.TextChoices):
        ANNOUNCED = moves.ANNOUNCED
        CHECKED = moves.CHECKED
        APPROVED = moves.APPROVED
        APPLYING = moves.APPLYING
        EX_APPLIED = moves.EX_APPLIED, "Applied, payment to come"
        PAYING = moves.PAYING
        APPLIED = moves.APPLIED
        UNDOING = moves.UNDOING
        UNDONE = moves.UNDONE
        CANCELED = moves.CANCELED

    id = models.UUIDField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="actions")
    listing = models.ForeignKey(
        Listing, on_delete=models.PROTECT, related_name="+", help_text="Its market's rules hold"
    )
    kind = models.CharField(max_length=16, choices=Kind.choices)
    state = FSMField(max_length=12, choices=State.choices, default=State.ANNOUNCED, protected=True)
    source = models.CharField(max_length=40, help_text="Who told: an agent, a vendor, the issuer")
    reference = models.CharField(max_length=64, help_text="What the source calls it")
    version = models.IntegerField(default=1)
    ex_date = models.DateField(help_text="Of the version in force")
    authorisation_id = models.UUIDField(null=True)
    changes = models.JSONField(default=dict, help_text="What it did to reference data, so that undo gives it back")
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Bookings up to here were looked at for late trades of before the ex date, and where the look before that one began.
    seen_booking_id = models.BigIntegerField(default=0)
    seen_before_id = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "reference"], name="refdata_action_told_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["instrument", "ex_date"], name="refdata_action_instrument"),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.reference}"

    @transition(field=state, source=list(moves.BY_NAME["check"].sources), target=moves.CHECKED)
    def check_effect(self) -> None:
        """Somebody looked at its effect and asked a second person."""

    @transition(field=state, source=list(moves.BY_NAME["send_back"].sources), target=moves.ANNOUNCED)
    def send_back(self) -> None:
        """Declined, lapsed, or corrected by a new version."""

    @transition(field=state, source=list(moves.BY_NAME["approve"].sources), target=moves.APPROVED)
    def approve(self) -> None:
        """A second person said yes."""

    @transition(field=state, source=list(moves.BY_NAME["begin"].sources), target=moves.APPLYING)
    def begin(self) -> None:
        """Its ex date has come."""

    @transition(field=state, source=list(moves.BY_NAME["reach_ex"].sources), target=moves.EX_APPLIED)
    def reach_ex(self) -> None:
        """Every account is booked as of the ex date; a payment is to come."""

    @transition(field=state, source=list(moves.BY_NAME["pay"].sources), target=moves.PAYING)
    def pay(self) -> None:
        """The payment was confirmed."""

    @transition(field=state, source=list(moves.BY_NAME["complete"].sources), target=moves.APPLIED)
    def complete(self) -> None:
        """Every account is booked."""

    @transition(field=state, source=list(moves.BY_NAME["take_back"].sources), target=moves.UNDOING)
    def take_back(self) -> None:
        """A second person said that it was wrong."""

    @transition(field=state, source=list(moves.BY_NAME["undo"].sources), target=moves.UNDONE)
    def undo(self) -> None:
        """Every booking of it has its reversal."""

    @transition(field=state, source=list(moves.BY_NAME["cancel"].sources), target=moves.CANCELED)
    def cancel(self) -> None:
        """The issuer or its announcer took it back."""


class CorporateActionVersion(models.Model):
    """What a notice said at a time. Append-only (trigger): a correction is the next version."""

    action = models.ForeignKey(CorporateAction, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    terms = models.JSONField()
    reason = models.TextField(default="")
    entered_by = models.TextField()
    entered_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["action", "number"], name="refdata_actionversion_once"),
        ]


class FormerName(models.Model):
    """What a listing was called until a day (which is the first under another name). Append-only (trigger)."""

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="former_names")
    symbol = models.CharField(max_length=24)
    venue_symbol = models.CharField(max_length=24)
    isin = models.CharField(max_length=12)
    valid_until = models.DateField()
    action = models.ForeignKey(CorporateAction, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["symbol", "-valid_until"], name="refdata_formername_symbol"),
            models.Index(fields=["isin", "-valid_until"], name="refdata_formername_isin"),
        ]
