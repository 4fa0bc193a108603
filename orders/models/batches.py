"""What came in whole: batches and files of orders, row by row."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from orders.models.columns import QTY


class Basket(models.Model):
    """A batch or file that was taken in whole: what the next ones of its owner are compared with."""

    id = models.UUIDField(primary_key=True)
    owner = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    source = models.CharField(max_length=12)
    orders = models.IntegerField()
    values = models.JSONField(help_text="What it is worth, by currency")
    counted = models.DecimalField(null=True, **QTY)  # all of it in the counting currency; null without a fresh rate
    taken_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["owner", "-taken_at"], name="orders_basket_owner")]


class Upload(models.Model):
    """One file of orders: staged whole, then worked in slices, each row with its own answer."""

    class State(models.TextChoices):
        STAGED = "staged"
        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"

    id = models.UUIDField(primary_key=True)
    owner = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=State.choices, default=State.STAGED)
    rows_total = models.IntegerField()
    rows_done = models.IntegerField(default=0)
    released = models.IntegerField(default=0)
    pending_authorisation = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    invalid = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"], name="orders_upload_open", condition=Q(state__in=["staged", "running"])
            ),
            models.Index(fields=["owner", "-created_at"], name="orders_upload_owner"),
        ]


class UploadRow(models.Model):
    """A row as it came (``raw``) and what became of it. ``outcome`` is empty until it was worked."""

    id = models.BigAutoField(primary_key=True)
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="rows")
    number = models.IntegerField()
    raw = models.JSONField()
    outcome = models.CharField(max_length=24, default="")
    code = models.CharField(max_length=60, default="")
    sentence = models.TextField(default="")
    order_id = models.UUIDField(null=True)
    order_ref = models.CharField(max_length=16, default="")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["upload", "number"], name="orders_uploadrow_number")]
        indexes: ClassVar = [
            models.Index(fields=["upload", "number"], name="orders_uploadrow_waiting", condition=Q(outcome="")),
        ]
