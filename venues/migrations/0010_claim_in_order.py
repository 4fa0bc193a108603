"""What a gateway claims next, and whether an order's first message still waits, are each read from an index of their own."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("venues", "0009_cursor_a_shard")]

    operations = [
        AddIndexConcurrently(
            model_name="wireintent",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["session_group", "adds_risk", "id"],
                name="venues_intent_next",
            ),
        ),
        AddIndexConcurrently(
            model_name="wireintent",
            index=models.Index(
                condition=models.Q(("kind", "new"), ("state", "waiting")),
                fields=["order_id"],
                name="venues_intent_unsent",
            ),
        ),
        RemoveIndexConcurrently(model_name="wireintent", name="venues_intent_waiting"),
    ]
