"""What became of the price of a block that was allocated: kept, because ticks are forgotten after some days and evidence is not."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from allocations.models.blocks import Block

PRICE: dict[str, Any] = {"max_digits": 20, "decimal_places": 8}


class BlockOutcome(models.Model):
    """A booked block once its day has ended. Append-only (trigger). Prices in the listing's unit; null: no believed tick says.

    ``close_px``: the last of the trade date. ``booked_px``: the last before its round ``round`` was booked.
    """

    block = models.OneToOneField(Block, on_delete=models.PROTECT, related_name="outcome", primary_key=True)
    round = models.IntegerField()
    close_px = models.DecimalField(null=True, **PRICE)
    booked_px = models.DecimalField(null=True, **PRICE)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(round__gt=0), name="allocations_outcome_of_a_booked_block"),
        ]
