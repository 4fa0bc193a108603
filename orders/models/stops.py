"""Stops as orders works them, and what they reached. Tables of this room like those of ``models``, where all are imported."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class KillSweep(models.Model):
    """One stop (its id) as orders works it, pass after pass until it is released: the lease, and the place of the pass."""

    id = models.UUIDField(primary_key=True)
    scope = models.CharField(max_length=12)
    scope_id = models.TextField(default="")
    name = models.TextField()
    reason = models.TextField()
    pressed_by = models.TextField()
    pressed_by_id = models.BigIntegerField()
    on_behalf_of = models.TextField(default="")
    engaged_at = models.DateTimeField()
    position = models.UUIDField(null=True)
    pass_at = models.DateTimeField(null=True)  # when the last pass ended; none before the first has
    reached_at = models.DateTimeField(null=True)  # when the first pass ended: everything in scope was asked or refused
    ended_at = models.DateTimeField(null=True)  # released

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["engaged_at"], name="orders_killsweep_standing", condition=Q(ended_at__isnull=True)),
        ]


class StoppedOrder(models.Model):
    """An order that a stop reached: as what, how much of it was executed then, and how often its cancel was asked for."""

    id = models.BigAutoField(primary_key=True)
    sweep = models.ForeignKey(KillSweep, on_delete=models.PROTECT, related_name="stopped")
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    found = models.CharField(max_length=16)
    cum_qty = models.DecimalField(max_digits=24, decimal_places=8)
    asked = models.SmallIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["sweep", "order"], name="orders_stopped_once")]
