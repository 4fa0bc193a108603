"""The inbox is read by session and shard: its index, built without holding up the recorder."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("venues", "0007_held_until")]

    operations = [
        AddIndexConcurrently(
            model_name="wiremessage",
            index=models.Index(
                condition=models.Q(("direction", "in"), ("msg_type__in", ["8", "9", "3", "j"])),
                fields=["session", "shard", "id"],
                name="venues_inbox_shard",
            ),
        ),
        RemoveIndexConcurrently(model_name="wiremessage", name="venues_inbox"),
    ]
