"""By which policy a kind of request is decided: dated rows, append-only; a later version of the same key supersedes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ApprovalPolicy(models.Model):
    """One key is a kind, perhaps a desk, perhaps a value mark. ``ended`` takes the key away again.

    ``change`` is the approved request that made the row; only the first rows of a house, which its owner sets up, have
    none (trigger).
    """

    kind = models.CharField(max_length=40)
    desk = models.ForeignKey("authorisation.Desk", null=True, on_delete=models.PROTECT)
    above = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    currency = models.CharField(max_length=3, default="")
    version = models.IntegerField()
    checkers = models.IntegerField()
    right = models.CharField(max_length=100)
    patience_s = models.IntegerField()
    claim_s = models.IntegerField()
    stops_clock = models.BooleanField()
    ended = models.BooleanField(default=False)
    effective_from = models.DateTimeField()
    change = models.ForeignKey(
        "authorisation.AuthorisationRequest", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "desk", "above", "currency", "version"],
                name="authorisation_policy_version",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(checkers__range=(1, 5), patience_s__range=(60, 60 * 60 * 24 * 30))
                & models.Q(claim_s__range=(30, 3600))
                & ~models.Q(right=""),
                name="authorisation_policy_in_bounds",
            ),
            models.CheckConstraint(
                condition=models.Q(above__isnull=True, currency="") | (models.Q(above__gt=0) & ~models.Q(currency="")),
                name="authorisation_policy_mark_has_currency",
            ),
        ]
