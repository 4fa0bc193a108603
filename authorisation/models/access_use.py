"""When somebody last did what needs a right: one row a user or key and right, a day fine."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class AccessUse(models.Model):
    """``actor`` is the text events keep (``user:<id>``, ``key:<id>``); ``right`` a codename, empty for having come at all.

    A measure, no evidence: it says that a guard let somebody pass at a page or the API, not what came of it.
    """

    actor = models.CharField(max_length=80)
    right = models.CharField(max_length=100, db_column="right_used")
    last_on = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["actor", "right"], name="authorisation_access_use"),
        ]
