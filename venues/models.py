"""Venues, their FIX sessions, every message in and out, and the intents that wait for the wire."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from refdata.models import Market


class Venue(models.Model):
    """A place orders are sent to. ``adapter`` names the code that speaks its dialect and declares its capabilities."""

    code = models.CharField(max_length=16, primary_key=True)
    name = models.CharField(max_length=80)
    adapter = models.CharField(max_length=40)
    phone = models.CharField(max_length=40, default="")
    markets = models.ManyToManyField(Market)
    enabled = models.BooleanField(default=True)
    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.code


class FixSession(models.Model):
    """One FIX session and what we last knew of it. One gateway process serves all sessions of a group."""

    class State(models.TextChoices):
        DOWN = "down"
        CONNECTING = "connecting"
        RECOVERING = "recovering"
        LOGGED_ON = "logged_on", "Logged on"
        DISABLED = "disabled"

    name = models.CharField(max_length=24, primary_key=True)
    group = models.CharField(max_length=24)
    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="sessions")
    begin_string = models.CharField(max_length=8, default="FIX.4.4")
    sender_comp_id = models.CharField(max_length=32)
    target_comp_id = models.CharField(max_length=32)
    host = models.CharField(max_length=80, default="127.0.0.1")
    port = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.DOWN)
    state_reason = models.TextField(default="")
    state_at = models.DateTimeField(null=True)
    enabled = models.BooleanField(default=True)
    epoch = models.CharField(max_length=40, default="")  # changes whenever sequence numbers restart
    next_in = models.BigIntegerField(default=1)
    next_out = models.BigIntegerField(default=1)
    last_in_at = models.DateTimeField(null=True)
    last_out_at = models.DateTimeField(null=True)
    heartbeat_s = models.PositiveSmallIntegerField(default=10)
    wait_s = models.PositiveSmallIntegerField(default=15)  # how long an order waits for a session that is down
    fence = models.BigIntegerField(default=0)
    held_until = models.DateTimeField(
        null=True
    )  # what adds risk is held back: the venue complained of too many messages

    class Meta:
        permissions: ClassVar = [
            ("switch_session", "May stop and allow new orders on a session"),
            ("open_recovery_gate", "May open the gate of a recovery that does not end"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["sender_comp_id", "target_comp_id", "begin_string"], name="venues_session_names"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WireMessage(models.Model):
    """A FIX message, stored before anything is done with it. Inbound ones are the inbox.

    Rows of one session are written under the lock of its :class:`FixSession` row, so their ids are in commit order:
    who has read up to an id has read everything before it.
    """

    class Direction(models.TextChoices):
        IN = "in"
        OUT = "out"

    id = models.BigAutoField(primary_key=True)
    direction = models.CharField(max_length=3, choices=Direction.choices)
    session = models.CharField(max_length=24)
    epoch = models.CharField(max_length=40)
    msg_seq_num = models.BigIntegerField()
    msg_type = models.CharField(max_length=3)
    poss_dup = models.BooleanField(default=False)
    cl_ord_id = models.CharField(max_length=64, default="")
    venue_order_id = models.CharField(max_length=64, default="")
    shard = models.SmallIntegerField(default=0)
    raw = models.TextField()  # SOH kept; passwords masked
    sent_at = models.DateTimeField(null=True)  # SendingTime (52)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["session", "shard", "id"],
                name="venues_inbox_shard",
                condition=Q(direction="in", msg_type__in=["8", "9", "3", "j"]),
            ),
            models.Index(
                fields=["session", "id"],
                name="venues_inbox_post_trade",
                condition=Q(direction="in", msg_type__in=["J", "P", "AS", "AT", "AK", "AU"]),
            ),
            models.Index(
                fields=["session", "id"], name="venues_asked_again", condition=Q(direction="in", msg_type="2")
            ),
            models.Index(fields=["session", "epoch", "direction", "msg_seq_num"], name="venues_wire_number"),
            models.Index(fields=["cl_ord_id"], name="venues_wire_cl_ord_id", condition=~Q(cl_ord_id="")),
            models.Index(fields=["venue_order_id"], name="venues_wire_order_id", condition=~Q(venue_order_id="")),
        ]


class WireIntent(models.Model):
    """Something to be sent once. Written by routing, claimed by the gateway of its session group."""

    class State(models.TextChoices):
        WAITING = "waiting"
        HANDED_OVER = "handed_over", "Handed to the engine"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"

    id = models.BigAutoField(primary_key=True)
    session_group = models.CharField(max_length=24)
    kind = models.CharField(max_length=8)  # new, replace, cancel, status
    order_id = models.UUIDField()
    request_id = models.UUIDField()
    account_id = models.UUIDField()
    cl_ord_id = models.CharField(max_length=32)
    orig_cl_ord_id = models.CharField(max_length=32, default="")
    payload = models.JSONField()  # the normalised message; the adapter maps it
    adds_risk = models.BooleanField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    reason = models.TextField(default="")
    not_after = models.DateTimeField()
    correlation_id = models.UUIDField()
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["request_id"], name="venues_intent_once_per_request", condition=~Q(kind="status")
            ),
        ]
        indexes: ClassVar = [
            # In the order in which a gateway claims: it reads a batch, however many wait behind.
            models.Index(
                fields=["session_group", "adds_risk", "id"], name="venues_intent_next", condition=Q(state="waiting")
            ),
            models.Index(fields=["order_id"], name="venues_intent_unsent", condition=Q(state="waiting", kind="new")),
        ]


class HandOver(models.Model):
    """Proof that one ClOrdID was given to the engine, written before it was. Its key makes 'at most once' true."""

    cl_ord_id = models.CharField(max_length=32, primary_key=True)
    intent_id = models.BigIntegerField(unique=True)
    mapping = models.CharField(max_length=24)  # name and version of the rules that made the body
    body = models.TextField()  # the message as given to the engine, which adds number and time; SOH kept
    session = models.CharField(max_length=24)
    epoch = models.CharField(max_length=40)
    fence = models.BigIntegerField()
    handed_over_at = models.DateTimeField()


class PostTradeIntent(models.Model):
    """A post-trade message to be sent once. ``name`` is what makes it the same message to the other side, whatever asks again.

    ``answer_by`` is set where the other side owes a word that it has it; ``told_at`` when a person was told that none came.
    ``left_at`` is when it is known to have left; while it is empty after the hand-over nobody knows (``settle_post_trade``).
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        HANDED_OVER = "handed_over", "Handed to the engine"
        REFUSED = "refused"
        RETURNED = "returned", "Refused by the other side's session"

    id = models.BigAutoField(primary_key=True)
    session_group = models.CharField(max_length=24)
    kind = models.CharField(max_length=24)  # kernel.post_trade.MessageKind
    name = models.CharField(max_length=96)
    payload = models.JSONField()  # kernel.post_trade.PostTradeMessage as JSON; the adapter maps it
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    reason = models.TextField(default="")
    event_id = models.UUIDField(unique=True)
    correlation_id = models.UUIDField()
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    answer_by = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session_group", "kind", "name"], name="venues_post_trade_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["session_group", "id"], name="venues_post_trade_next", condition=Q(state="waiting")),
            models.Index(
                fields=["answer_by"],
                name="venues_post_trade_due",
                condition=Q(answer_by__isnull=False, answered_at=None, told_at=None),
            ),
            models.Index(
                fields=["session_group", "id"],
                name="venues_post_trade_unproven",
                condition=Q(state="handed_over", left_at=None, reason=""),
            ),
        ]


class PostTradeHandOver(models.Model):
    """Proof that one post-trade message was given to the engine, written before it was: never again under the same name."""

    name = models.CharField(max_length=160, primary_key=True)  # <session group>|<kind>|<name of the intent>
    intent_id = models.BigIntegerField(unique=True)
    mapping = models.CharField(max_length=24)
    body = models.TextField()  # the message as given to the engine, which adds number and time; SOH kept
    session = models.CharField(max_length=24)
    epoch = models.CharField(max_length=40)
    fence = models.BigIntegerField()
    handed_over_at = models.DateTimeField()


class PostTradeAgain(models.Model):
    """Proof that a post-trade message which perhaps never left was given to the engine once more, flagged PossResend (97).

    Its key is the name of the hand-over: whatever happens, there is no third time.
    """

    name = models.CharField(max_length=160, primary_key=True)
    intent_id = models.BigIntegerField(unique=True)
    why = models.TextField()  # the evidence, as a sentence
    body = models.TextField()
    session = models.CharField(max_length=24)
    epoch = models.CharField(max_length=40)
    fence = models.BigIntegerField()
    handed_over_at = models.DateTimeField()


class Inquiry(models.Model):
    """A request whose fate the venue is asked for. One row a request, from the first silence to the venue's word, kept."""

    class State(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"

    request_id = models.UUIDField(primary_key=True)
    order_id = models.UUIDField()
    session_group = models.CharField(max_length=24)
    session = models.CharField(max_length=24)  # the one that carried it: only there the answer proves anything
    kind = models.CharField(max_length=8)  # new, replace, cancel
    cl_ord_id = models.CharField(max_length=32)
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    reason = models.TextField()  # why the fate is not known
    attempts = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    first_asked_at = models.DateTimeField(null=True)
    last_asked_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField()
    review_at = models.DateTimeField(null=True)  # when a person was told
    outcome = models.CharField(max_length=24, default="")  # the state its request ended in
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["session", "next_at"], name="venues_inquiry_due", condition=Q(state="open")),
        ]


class Recovery(models.Model):
    """One comparison of our open orders with the venue's, begun at a logon. Until it ends nothing that adds risk leaves."""

    class State(models.TextChoices):
        ASKING = "asking"
        COMPARING = "comparing"
        EQUAL = "equal"
        DIFFERENT = "different"
        SUPERSEDED = "superseded"

    id = models.UUIDField(primary_key=True)
    session = models.CharField(max_length=24)
    session_group = models.CharField(max_length=24)
    epoch = models.CharField(max_length=40)
    fence = models.BigIntegerField()
    state = models.CharField(max_length=12, choices=State.choices)
    reason = models.TextField(default="")
    mass = models.BooleanField()  # asked for all at once (35=AF); else order by order (35=H)
    questions = models.IntegerField(default=0)
    expected = models.IntegerField(null=True)  # TotNumReports (911)
    received = models.IntegerField(default=0)
    orders = models.IntegerField(default=0)  # of ours that were compared
    differences = models.IntegerField(default=0)
    started_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    overdue_at = models.DateTimeField(null=True)  # when a person was told that it does not end
    opened_at = models.DateTimeField(null=True)  # a person opened the gate before it ended
    opened_by = models.TextField(default="")
    opened_reason = models.TextField(default="")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["session", "-started_at"], name="venues_recovery_latest"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["session"], name="venues_recovery_one_under_way", condition=Q(state__in=["asking", "comparing"])
            ),
        ]


class RecoveryDifference(models.Model):
    """An order about which venue and house do not agree. Asked about until they do; the account stays blocked meanwhile."""

    id = models.BigAutoField(primary_key=True)
    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="found")
    session = models.CharField(max_length=24)
    kind = models.CharField(max_length=20)
    order_id = models.UUIDField(null=True)  # null: the venue's order is none of ours
    account_id = models.UUIDField(null=True)
    cl_ord_id = models.CharField(max_length=64, default="")
    venue_order_id = models.CharField(max_length=64, default="")
    ours = models.JSONField(default=dict)
    theirs = models.JSONField(default=dict)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    found_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolution = models.TextField(default="")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["session", "next_at"], name="venues_difference_open", condition=Q(resolved_at=None)),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["session", "order_id"],
                name="venues_difference_once_an_order",
                condition=Q(resolved_at=None, order_id__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["session", "venue_order_id"],
                name="venues_difference_once_a_stranger",
                condition=Q(resolved_at=None, order_id=None),
            ),
        ]


class RouteDecision(models.Model):
    """Where an order was sent and why: every candidate with the reason it was taken or passed over."""

    order_id = models.UUIDField(primary_key=True)
    session_group = models.CharField(max_length=24)
    candidates = models.JSONField()
    rule_version = models.CharField(max_length=24)
    decided_at = models.DateTimeField()
