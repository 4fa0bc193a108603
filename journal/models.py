"""Append-only events and the small tables that make work durable: cursors, leases, idempotency, set-asides.

The journal is the outbox: a listener reads events behind its cursor up to the horizon (``selectors.horizon``), so
no second copy of a fact is ever written. The actor is text: people come and go, evidence stays.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Xid8Field(models.Field):  # type: ignore[type-arg]
    """PostgreSQL ``xid8``: the writing transaction; events that share it became true together."""

    def db_type(self, connection: object) -> str:
        return "xid8"


class Event(models.Model):
    """One thing that happened. Never updated, never deleted (trigger and grant)."""

    position = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True)
    stream = models.TextField()
    seq = models.IntegerField()
    kind = models.TextField()
    version = models.SmallIntegerField(default=1)
    actor = models.TextField()
    on_behalf_of = models.TextField(default="")
    correlation_id = models.UUIDField()
    causation_id = models.UUIDField(null=True)
    event_at = models.DateTimeField()
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    business_date = models.DateField()
    payload = models.JSONField()
    prev_hash = models.BinaryField()
    hash = models.BinaryField()
    xid = Xid8Field(db_default=models.Func(function="pg_current_xact_id"))

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stream", "seq"], name="journal_event_stream_seq"),
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="journal_event_seq_from_one"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["correlation_id"], name="journal_event_correlation"),
            # Of the search (``selectors.searching``): what people did anywhere, and what happened outside orders.
            models.Index(
                fields=["actor", "position"],
                name="journal_event_by_actor",
                condition=~models.Q(actor__startswith="process:", stream__startswith="order:"),
            ),
            models.Index(
                models.Func(models.F("stream"), models.Value(":"), models.Value(1), function="split_part"),
                models.F("position"),
                name="journal_event_by_family",
                condition=~models.Q(stream__startswith="order:"),
            ),
        ]


class StreamHead(models.Model):
    """Last sequence and hash of a stream that has no row of its own to keep them in."""

    stream = models.TextField(primary_key=True)
    seq = models.IntegerField()
    hash = models.BinaryField()


class Cursor(models.Model):
    """How far a listener has read: everything at or below ``position`` has had its effect."""

    name = models.TextField(primary_key=True)
    position = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)


class Lease(models.Model):
    """Who works on something now. ``fence`` grows with every take-over, so a late holder is recognised."""

    name = models.TextField(primary_key=True)
    holder = models.TextField()
    fence = models.BigIntegerField(default=1)
    expires_at = models.DateTimeField()


class Process(models.Model):
    """A process of the house as it last reported itself: what it is made of, and how far its clock is from the database's."""

    id = models.TextField(primary_key=True)  # host:pid
    name = models.TextField()
    build = models.TextField()
    fingerprint = models.TextField()
    parts = models.TextField()  # name:digest, so that who differs can say in what
    clock_offset_ms = models.IntegerField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()


class SetAside(models.Model):
    """A message or event that could not be worked; kept whole, raised as an exception, the stream goes on."""

    id = models.UUIDField(primary_key=True)
    source = models.TextField()
    position = models.TextField()
    reason = models.TextField()
    payload = models.JSONField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "position"], name="journal_setaside_once"),
        ]


class IdempotencyKey(models.Model):
    """The answer once given to (principal, route, key). Written in the transaction it protects; kept ≥ 30 days."""

    id = models.BigAutoField(primary_key=True)
    principal = models.TextField()
    route = models.TextField()
    key = models.TextField()
    payload_hash = models.TextField()
    status = models.SmallIntegerField()
    answer = models.JSONField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["principal", "route", "key"], name="journal_idempotency_scope"),
        ]
        indexes: ClassVar = [models.Index(fields=["recorded_at"], name="journal_idempotency_age")]


class SealKey(models.Model):
    """A public key that signs seals, introduced by the key before it. Append-only (trigger); the private half is a file."""

    key_id = models.CharField(max_length=32, primary_key=True)
    public_key = models.BinaryField()
    predecessor = models.CharField(max_length=32)
    made_at = models.DateTimeField()
    signature = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["predecessor"],
                name="journal_sealkey_one_successor",
                condition=~models.Q(predecessor=models.F("key_id")),
            ),
        ]


class Seal(models.Model):
    """A signed Merkle root over all events of a range of positions. Append-only (trigger). See ``domain.seals``."""

    number = models.BigIntegerField(primary_key=True)
    from_position = models.BigIntegerField()
    to_position = models.BigIntegerField(unique=True)
    count = models.IntegerField()
    root = models.BinaryField()
    previous = models.BinaryField()
    sealed_at = models.DateTimeField()
    key_id = models.CharField(max_length=32)
    signature = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(number__gte=1, count__gte=1), name="journal_seal_counts_from_one"
            ),
            models.CheckConstraint(
                condition=models.Q(to_position__gte=models.F("from_position")), name="journal_seal_range_runs_forward"
            ),
        ]


class SealAnchor(models.Model):
    """That a seal was written to an anchor file and flushed: a file that later ends earlier was cut. Append-only."""

    id = models.BigAutoField(primary_key=True)
    place = models.TextField()  # the directory
    number = models.BigIntegerField()
    line_hash = models.BinaryField()
    anchored_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["place", "number"], name="journal_sealanchor_once"),
        ]


class Snapshot(models.Model):
    """The state of a projection at a position of the journal. Derived: what is lost or damaged is built again."""

    id = models.BigAutoField(primary_key=True)
    projection = models.TextField()
    version = models.IntegerField()
    position = models.BigIntegerField()
    taken_at = models.DateTimeField()
    body = models.BinaryField(help_text="Canonical JSON of the whole state")
    sha256 = models.BinaryField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["projection", "version", "-position"], name="journal_snapshot_latest"),
        ]


class ProjectionInForce(models.Model):
    """Which version of a projection readers go by. One row is changed when another takes its place."""

    name = models.TextField(primary_key=True)
    version = models.IntegerField()
    swapped_at = models.DateTimeField()


class RetentionRule(models.Model):
    """How long a class of records is kept from ``effective_from`` on. Append-only; the latest that has begun rules."""

    id = models.UUIDField(primary_key=True)
    record_class = models.CharField(max_length=40)
    kept_days = models.IntegerField()
    reason = models.TextField()
    effective_from = models.DateTimeField()
    decided_by = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(kept_days__range=(7, 36_500)), name="journal_retention_in_bounds"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["record_class", "-effective_from"], name="journal_retention_class")]


class LegalHold(models.Model):
    """Records that may not be removed because of a matter. Never deleted; released once, by two people (trigger)."""

    class State(models.TextChoices):
        HELD = "held"
        RELEASED = "released"

    id = models.UUIDField(primary_key=True)
    matter = models.CharField(max_length=120)
    reason = models.TextField()
    subject_kind = models.CharField(max_length=16)
    subject = models.TextField()
    symbols = models.JSONField(default=list)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.HELD)
    placed_by = models.TextField()
    placed_at = models.DateTimeField()
    released_by = models.TextField(default="")
    released_at = models.DateTimeField(null=True)

    class Meta:
        permissions: ClassVar = [("keep_records", "May place legal holds and say how long records are kept")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(to_at__isnull=True) | models.Q(to_at__gt=models.F("from_at")),
                name="journal_hold_runs_forward",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["from_at"], name="journal_hold_held", condition=models.Q(state="held"))
        ]

    @property
    def stream(self) -> str:
        return f"hold:{self.id}"


class Archive(models.Model):
    """A run of seals with its events, copied out of the database and verified there. Append-only."""

    id = models.UUIDField(primary_key=True)
    from_seal = models.BigIntegerField(unique=True)
    to_seal = models.BigIntegerField(unique=True)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    events = models.IntegerField()
    place = models.TextField(help_text="Directory below the archive's root")
    manifest_sha256 = models.CharField(max_length=64)
    verified_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(to_seal__gte=models.F("from_seal")), name="journal_archive_runs_forward"
            ),
        ]
