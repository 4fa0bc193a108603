"""What nobody knows to have left, and what the other side asked for again: found without reading all that was ever sent."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("venues", "0016_post_trade_again_kept")]

    operations = [
        AddIndexConcurrently(
            model_name="posttradeintent",
            index=models.Index(
                condition=models.Q(("left_at", None), ("reason", ""), ("state", "handed_over")),
                fields=["session_group", "id"],
                name="venues_post_trade_unproven",
            ),
        ),
        AddIndexConcurrently(
            model_name="wiremessage",
            index=models.Index(
                condition=models.Q(("direction", "in"), ("msg_type", "2")),
                fields=["session", "id"],
                name="venues_asked_again",
            ),
        ),
    ]
