"""What a counterparty replaces or cancels is found by the name it ends."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F
from django.db.models.fields.json import KT


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("allocations", "0013_block_outcomes_kept")]

    operations = [
        AddIndexConcurrently(
            model_name="counterpartyrecord",
            index=models.Index(
                F("counterparty"),
                KT("says__ref_of"),
                condition=models.Q(("trans_type", "new"), _negated=True),
                name="allocations_record_ends",
            ),
        ),
    ]
