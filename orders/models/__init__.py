"""Orders, the requests people make about them, and what venues reported.

``Order`` is an intent with a snapshot of its working state; the snapshot is derived from facts (``facts``) by the
pure core in ``orders.domain`` and never moved by hand. ``ord_status`` is the venue's word, None until its first
fact. ``OrderRequest.state`` is ours.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from orders.domain.suspense import excess_units
from orders.domain.transitions import sources_of
from orders.models.actions import ActionOrder
from orders.models.batches import Basket, Upload, UploadRow
from orders.models.columns import PRICE, QTY
from orders.models.filed import FiledReport
from orders.models.stops import KillSweep, StoppedOrder

__all__ = [
    "ActionOrder",
    "Basket",
    "Execution",
    "FiledReport",
    "KillSweep",
    "Order",
    "OrderRequest",
    "StoppedOrder",
    "StuckMark",
    "UnknownOrder",
    "UnmatchedReport",
    "Upload",
    "UploadRow",
    "VenueName",
]


class Order(models.Model):
    """One intent to trade. Ids of other rooms' append-only rows are opaque; entities people edit are keys."""

    id = models.UUIDField(primary_key=True)
    ref = models.CharField(max_length=16, unique=True)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    root_id = models.UUIDField()
    replaces_id = models.UUIDField(null=True)  # the canceled order whose rest this one is: a staged replace entered it
    account = models.ForeignKey("accounts.TradingAccount", on_delete=models.PROTECT, db_constraint=False)
    desk = models.ForeignKey("authorisation.Desk", on_delete=models.PROTECT, db_constraint=False)
    listing = models.ForeignKey("refdata.Listing", on_delete=models.PROTECT, db_constraint=False)
    owner = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    source = models.CharField(max_length=12)  # ticket, api, upload, flow, venue (phoned)
    client_order_id = models.CharField(max_length=64, default="")
    correlation_id = models.UUIDField()

    # Working terms: what the venue works on, as far as it has said; the first intent stays in the NEW request.
    side = models.CharField(max_length=1)
    ord_type = models.CharField(max_length=1)
    time_in_force = models.CharField(max_length=1)
    order_qty = models.DecimalField(null=True, **QTY)
    price = models.DecimalField(null=True, **PRICE)
    stop_px = models.DecimalField(null=True, **PRICE)
    min_qty = models.DecimalField(null=True, **QTY)
    max_floor = models.DecimalField(null=True, **QTY)
    expire_at = models.DateTimeField(null=True)
    expire_date = models.DateField(null=True)
    locate_ref = models.CharField(max_length=64, default="")
    capacity = models.CharField(max_length=1, default="A")  # OrderCapacity (528)
    handling = models.CharField(max_length=1, default="1")  # HandlInst (21)
    strategy = models.CharField(max_length=40, default="")

    # Names at the venue.
    session_group = models.CharField(max_length=24, default="")
    # What the venue takes of requests, as routing told. Unknown at capture, so the database fills it.
    venue_rules = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    cl_ord_id = models.CharField(max_length=32, null=True)
    venue_order_id = models.CharField(max_length=64, null=True)
    last_request_seq = models.IntegerField(default=1)

    # Derived from facts by the pure core.
    facts = models.JSONField(default=dict)
    ord_status = models.CharField(max_length=1, null=True)
    cum_qty = models.DecimalField(default=0, **QTY)
    leaves_qty = models.DecimalField(default=0, **QTY)
    avg_px = models.DecimalField(max_digits=24, decimal_places=10, default=0)
    overfilled = models.BooleanField(default=False)

    # Executed beyond OrderQty: what a person accepted, and where the rest lies (a suspense account) until somebody does.
    accepted_excess = models.DecimalField(default=0, db_default=0, **QTY)
    suspense_account_id = models.UUIDField(null=True, db_default=None)

    # Ours: the state of the request that decides what people see while the venue has said nothing.
    request_state = models.CharField(max_length=24)
    is_open = models.BooleanField(default=True)
    needs_attention = models.CharField(max_length=60, default="")

    instrument_snapshot = models.JSONField()
    fees = models.JSONField(null=True)  # its terms, and by trade date what it traded and what is booked
    instructed_at = models.DateTimeField()
    instructed_by = models.CharField(max_length=80, null=True)  # who at the client gave it
    discretion = models.CharField(max_length=16, null=True)  # what was left to the dealer; None: nothing
    responsible = models.ForeignKey(  # the person who answered for it when it was entered
        "authorisation.User", null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    entered_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    trade_date = models.DateField()
    # The trading day the status was last derived for, where it is a later one: Done for day wakes on the next (roll_days).
    state_date = models.DateField(null=True, db_default=None)
    version = models.IntegerField(default=1)
    last_event_seq = models.IntegerField(default=0)
    last_event_hash = models.BinaryField(default=bytes)

    class Meta:
        permissions: ClassVar = [
            ("enter_order", "May enter, replace and cancel orders"),
            ("cancel_order", "May cancel orders that others entered, without entering any"),
            ("release_order", "May release or decline orders that wait for a second person"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(order_qty__gt=0) | Q(order_qty__isnull=True), name="orders_order_qty_positive"
            ),
            models.CheckConstraint(
                condition=Q(cum_qty__gte=0, leaves_qty__gte=0), name="orders_order_sums_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(order_qty__isnull=True) | Q(cum_qty__lte=F("order_qty")) | Q(overfilled=True),
                name="orders_order_cum_within_qty",
            ),
            models.CheckConstraint(
                condition=Q(is_open=True) | Q(leaves_qty=0), name="orders_order_closed_has_no_leaves"
            ),
            models.CheckConstraint(
                condition=Q(order_qty__isnull=True)
                | Q(overfilled=True)
                | Q(order_qty__gte=F("cum_qty") + F("leaves_qty")),
                name="orders_order_cum_and_leaves_within_qty",
            ),
            # Filled, Canceled, Expired, Rejected: whatever the disorder, such an order has nothing left to trade.
            models.CheckConstraint(
                condition=Q(ord_status__isnull=True) | ~Q(ord_status__in=["2", "4", "8", "C"]) | Q(leaves_qty=0),
                name="orders_order_status_agrees_with_leaves",
            ),
            models.CheckConstraint(condition=Q(side__in=["1", "2", "5", "6"]), name="orders_order_side_known"),
            # Whatever a sweeper does: an order is entered anew once.
            models.UniqueConstraint(
                fields=["replaces_id"], name="orders_order_replaced_once", condition=Q(replaces_id__isnull=False)
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-id"], name="orders_open_by_account", condition=Q(is_open=True)),
            models.Index(fields=["desk", "-id"], name="orders_open_by_desk", condition=Q(is_open=True)),
            models.Index(fields=["desk", "-id"], name="orders_by_desk"),
            models.Index(
                fields=["venue_order_id", "session_group"],
                name="orders_by_venue_id",
                condition=Q(venue_order_id__isnull=False),
            ),
            models.Index(fields=["client_order_id"], name="orders_by_client_id", condition=~Q(client_order_id="")),
            models.Index(fields=["account", "locate_ref"], name="orders_by_locate", condition=~Q(locate_ref="")),
            # Its peers: orders like it a moment ago, and open orders it would trade with (orders_peers).
            models.Index(fields=["account", "listing", "entered_at"], name="orders_twins"),
            models.Index(fields=["listing", "side", "price"], name="orders_resting", condition=Q(is_open=True)),
            models.Index(
                fields=["id"],
                name="orders_done_until_tomorrow",
                condition=Q(ord_status__in=["3", "B"], time_in_force__in=["1", "6"]),
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def excess_accepted(self) -> bool:
        """Whether all that was executed beyond OrderQty was accepted."""
        return not excess_units(cum_qty=self.cum_qty, order_qty=self.order_qty, accepted=self.accepted_excess)


class OrderRequest(models.Model):
    """NEW, REPLACE or CANCEL: its payload, maker, checks, approval, the ClOrdID it was sent under and its outcome."""

    class Kind(models.TextChoices):
        NEW = "new"
        REPLACE = "replace"
        CANCEL = "cancel"

    class State(models.TextChoices):
        CAPTURED = "captured"
        PENDING_AUTHORISATION = "pending_authorisation"
        REFUSED = "refused"
        DECLINED = "declined"
        LAPSED = "lapsed"
        WITHDRAWN = "withdrawn"
        RELEASED = "released"
        HANDED_OVER = "handed_over"
        UNKNOWN = "unknown"
        ACCEPTED = "accepted"
        REJECTED = "rejected"

    id = models.UUIDField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="requests", db_constraint=False)
    seq = models.IntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = FSMField(max_length=24, choices=State.choices)
    cl_ord_id = models.CharField(max_length=32, unique=True)
    orig_cl_ord_id = models.CharField(max_length=32, null=True)
    payload = models.JSONField()
    maker = models.TextField()
    maker_id = models.BigIntegerField()
    on_behalf_of = models.TextField(default="")
    idempotency_key = models.TextField(default="")
    checks = models.JSONField(default=list)
    acknowledgements = models.JSONField(default=list)
    # What the checks saw (``risk.domain.kept_facts``), so that the decision can be judged again; null where none were run.
    decision = models.JSONField(null=True)
    authorisation_id = models.UUIDField(null=True)
    outcome_code = models.CharField(max_length=60, default="")
    outcome_text = models.TextField(default="")
    captured_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["order", "seq"], name="orders_request_seq")]
        indexes: ClassVar = [
            models.Index(
                fields=["handed_over_at"],
                name="orders_request_unanswered",
                condition=Q(state__in=["handed_over", "unknown"]),
            ),
            models.Index(
                fields=["captured_at"],
                name="orders_request_not_sent",
                condition=Q(state__in=["captured", "pending_authorisation", "released"]),
            ),
        ]

    # The graph of the one table, declared where django-fsm, its tools and readers look for it. Services move a request
    # through ``services._moving``, which asks the same table; the trigger of the table holds whatever goes around both.
    @transition(field=state, source=sources_of(State.PENDING_AUTHORISATION), target=State.PENDING_AUTHORISATION)
    def hold(self) -> None:
        """A check asked for a second person."""

    @transition(field=state, source=sources_of(State.REFUSED), target=State.REFUSED)
    def refuse(self) -> None:
        """We said no."""

    @transition(field=state, source=sources_of(State.DECLINED), target=State.DECLINED)
    def decline(self) -> None:
        """A checker said no."""

    @transition(field=state, source=sources_of(State.LAPSED), target=State.LAPSED)
    def lapse(self) -> None:
        """Nobody decided in time."""

    @transition(field=state, source=sources_of(State.WITHDRAWN), target=State.WITHDRAWN)
    def withdraw(self) -> None:
        """Taken back before it was sent."""

    @transition(field=state, source=sources_of(State.RELEASED), target=State.RELEASED)
    def release(self) -> None:
        """May be sent."""

    @transition(field=state, source=sources_of(State.HANDED_OVER), target=State.HANDED_OVER)
    def hand_over(self) -> None:
        """Given to the engine."""

    @transition(field=state, source=sources_of(State.UNKNOWN), target=State.UNKNOWN)
    def lose_sight(self) -> None:
        """We do not know what became of it."""

    @transition(field=state, source=sources_of(State.ACCEPTED), target=State.ACCEPTED)
    def accept(self) -> None:
        """The venue said yes."""

    @transition(field=state, source=sources_of(State.REJECTED), target=State.REJECTED)
    def reject(self) -> None:
        """The venue said no."""


class StuckMark(models.Model):
    """A matter that stood still for longer than its state allows, from when it was told until it moved."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    cl_ord_id = models.CharField(max_length=32, default="")  # of the request; empty for the order itself
    state = models.CharField(max_length=24)
    since = models.DateTimeField()
    told_at = models.DateTimeField()
    moved_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["order", "cl_ord_id", "state"], name="orders_stuck_once", condition=Q(moved_at__isnull=True)
            ),
        ]


class Execution(models.Model):
    """A trade a venue reported; a correction or bust changes its effective figures, never the raw ones."""

    id = models.UUIDField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="executions", db_constraint=False)
    identity = models.CharField(max_length=160)  # application identity as the adapter declares it
    exec_id = models.CharField(max_length=64)
    exec_ref_id = models.CharField(max_length=64, default="")  # latest version's ExecID, when corrected or busted
    exec_type = models.CharField(max_length=1)
    cl_ord_id = models.CharField(max_length=32, null=True)
    side = models.CharField(max_length=1)
    last_qty = models.DecimalField(**QTY)
    last_px = models.DecimalField(**PRICE)
    effective_qty = models.DecimalField(**QTY)
    effective_px = models.DecimalField(**PRICE)
    # What the venue says since it stated the trade anew for a split; the effective figures stay in the shares of its day.
    stated_qty = models.DecimalField(null=True, **QTY)
    stated_px = models.DecimalField(null=True, **PRICE)
    last_mkt = models.CharField(max_length=4, default="")
    suspense_qty = models.DecimalField(default=0, db_default=0, **QTY)  # of it, in suspense: units, and its cash
    suspense_cash = models.DecimalField(default=0, db_default=0, **QTY)
    session_epoch = models.CharField(max_length=40)
    msg_seq_num = models.BigIntegerField()
    wire_message_id = models.BigIntegerField(null=True)
    event_id = models.UUIDField()
    event_at = models.DateTimeField()
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    trade_date = models.DateField()
    settlement_date = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "identity"], name="orders_execution_once"),
            models.CheckConstraint(condition=Q(effective_qty__gte=0), name="orders_execution_effective_not_negative"),
            models.CheckConstraint(
                condition=Q(stated_qty__isnull=True, stated_px__isnull=True)
                | Q(stated_qty__gte=0, stated_px__isnull=False),
                name="orders_execution_stated_whole",
            ),
            # That it is within the execution holds at commit only: a bust is written before its share moves back.
            models.CheckConstraint(condition=Q(suspense_qty__gte=0), name="orders_execution_suspense_not_negative"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["exec_id"], name="orders_execution_exec_id"),
            models.Index(
                fields=["trade_date", "id"], name="orders_execution_stated", condition=Q(stated_qty__isnull=False)
            ),
        ]

    @property
    def as_venue_says(self) -> tuple[Decimal, Decimal]:
        """Quantity and price in the shares of which the venue speaks now."""
        if self.stated_qty is None or self.stated_px is None:
            return self.effective_qty, self.effective_px
        return self.stated_qty, self.stated_px


class UnknownOrder(models.Model):
    """An order of a venue that is none of ours, as far as we know: what unmatched reports speak about.

    Its ``id`` stands for the order in bookings. What its executions amount to is in a suspense account (``booked_qty``,
    ``booked_cash``) until the order turns out to be ours, a person puts it on record, or the venue takes it back.
    """

    class State(models.TextChoices):
        WAITING = "waiting"  # nothing is booked: no execution yet, or nobody can tell of what
        SUSPENSE = "suspense"
        MATCHED = "matched"  # it was ours: its reports joined that order
        ACCEPTED = "accepted"  # a person put it on record
        DK = "dk"  # a person said that we do not know it

    id = models.UUIDField(primary_key=True)
    session = models.CharField(max_length=24)
    name = models.CharField(max_length=160)  # the venue's OrderID, else a ClOrdID, else the report's identity
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    account = models.ForeignKey(
        "accounts.TradingAccount", null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    listing = models.ForeignKey(
        "refdata.Listing", null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    side = models.CharField(max_length=1, default="")
    booked_qty = models.DecimalField(default=0, **QTY)
    booked_cash = models.DecimalField(default=0, **QTY)
    raised_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["session", "name"], name="orders_unknown_order_once")]


class UnmatchedReport(models.Model):
    """A report that named no order of ours when it came, whole. ``order`` is the one it joined since."""

    id = models.BigAutoField(primary_key=True)
    unknown = models.ForeignKey(UnknownOrder, on_delete=models.PROTECT, related_name="reports", db_constraint=False)
    session = models.CharField(max_length=24)
    epoch = models.CharField(max_length=40)
    msg_seq_num = models.BigIntegerField()
    identity = models.CharField(max_length=160)
    cl_ord_id = models.CharField(max_length=64, default="")
    orig_cl_ord_id = models.CharField(max_length=64, default="")
    venue_order_id = models.CharField(max_length=64, default="")
    report = models.JSONField()
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    recorded_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["session", "epoch", "msg_seq_num", "identity"], name="orders_unmatched_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["venue_order_id"], name="orders_unmatched_waiting", condition=Q(order__isnull=True)),
        ]


class VenueName(models.Model):
    """A further OrderID by which a venue has called an order, beside the one on its row."""

    id = models.BigAutoField(primary_key=True)
    session_group = models.CharField(max_length=24)
    venue_order_id = models.CharField(max_length=64)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+", db_constraint=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["venue_order_id", "session_group", "order"], name="orders_venue_name_once"),
        ]
