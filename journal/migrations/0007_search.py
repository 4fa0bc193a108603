"""What people did, and what happened outside orders, is found without reading the journal; built without holding up appends."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("journal", "0006_processes")]

    operations = [
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                condition=models.Q(("actor__startswith", "process:"), ("stream__startswith", "order:"), _negated=True),
                fields=["actor", "position"],
                name="journal_event_by_actor",
            ),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                models.Func(models.F("stream"), models.Value(":"), models.Value(1), function="split_part"),
                models.F("position"),
                condition=models.Q(("stream__startswith", "order:"), _negated=True),
                name="journal_event_by_family",
            ),
        ),
    ]
