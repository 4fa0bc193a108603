"""What a file says of an order and its venue has not told us over a session."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class FiledReport(models.Model):
    """A report that came from a counterparty's file instead of a session: two people let it in, and this is whose word it is.

    ``identity`` is the report's name among the order's facts. When the same execution arrives over a session it is known by
    ``exec_id`` and takes that name (``heard_as`` keeps its own): so it counts once. Written once (trigger); what was heard is added.
    """

    id = models.UUIDField(primary_key=True)
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="filed", db_constraint=False)
    identity = models.CharField(max_length=160)
    exec_id = models.CharField(max_length=64, default="", help_text="Empty: it is about the order's state")
    request_id = models.UUIDField(help_text="The approved request (trigger)")
    source = models.CharField(max_length=40)
    file = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    line = models.BigIntegerField()
    raw = models.TextField()
    said = models.JSONField(default=list, help_text="ExecType, quantity and price, as the report was made from it")
    filed_at = models.DateTimeField()
    heard_as = models.CharField(max_length=160, default="", help_text="Identity of the same execution over a session")
    heard_at = models.DateTimeField(null=True)
    heard_in = models.BigIntegerField(null=True, help_text="The wire message that told it")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "identity"], name="orders_filedreport_once"),
            models.CheckConstraint(
                condition=~Q(sha256="") & ~Q(raw="") & Q(line__gt=0), name="orders_filedreport_says_where"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["order", "exec_id"], name="orders_filedreport_exec", condition=~Q(exec_id="")),
        ]
