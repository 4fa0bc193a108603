"""What becomes of open orders at a corporate action."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ActionOrder(models.Model):
    """An open order at a corporate action (or its undoing): keep, cancel or venue (restated by it), terms as JSON before and after."""

    action = models.ForeignKey("refdata.CorporateAction", on_delete=models.PROTECT, related_name="+")
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    undoing = models.BooleanField()
    treatment = models.CharField(max_length=8)
    before = models.JSONField()
    after = models.JSONField()
    planned_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    obstacle = models.TextField(default="")

    class Meta:
        unique_together: ClassVar = [("action", "order", "undoing")]
