"""Post-trade messages are read by session behind a cursor of their own: its index, built without holding up the recorder."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("venues", "0013_post_trade_kept")]

    operations = [
        AddIndexConcurrently(
            model_name="wiremessage",
            index=models.Index(
                condition=models.Q(("direction", "in"), ("msg_type__in", ["J", "P", "AS", "AT", "AK", "AU"])),
                fields=["session", "id"],
                name="venues_inbox_post_trade",
            ),
        ),
    ]
