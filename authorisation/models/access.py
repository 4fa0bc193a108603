"""How long somebody holds a role. Who holds which is Django's and guardian's."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import Group
from django.db import models


class RoleTerm(models.Model):
    """A role that was lent: it ends at ``until``, by a sweeper. ``ended_at`` says that it did, or was taken before."""

    user = models.ForeignKey("authorisation.User", on_delete=models.PROTECT, related_name="role_terms")
    role = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "role"], condition=models.Q(ended_at=None), name="authorisation_role_term_once"
            ),
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("given_at")), name="authorisation_role_term_ends_later"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["until"], name="authorisation_role_term_due", condition=models.Q(ended_at=None)),
        ]
