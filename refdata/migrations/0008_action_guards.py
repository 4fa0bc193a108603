"""Notices are never deleted and move only along the table; their versions and former names are append-only."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import append_only, never_deleted, state_pairs
from refdata.domain.action_transitions import ANNOUNCED, PAIRS

ACTION = "refdata_corporateaction"
WHAT_IT_IS = ("instrument_id", "listing_id", "kind", "source", "reference", "created_at")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("refdata", "0007_corporate_actions"), ("journal", "0002_guards")]

    operations: ClassVar = [
        migrations.RunSQL(*never_deleted(ACTION)),
        migrations.RunSQL(*state_pairs(ACTION, column="state", initial=[ANNOUNCED], pairs=PAIRS, frozen=WHAT_IT_IS)),
        migrations.RunSQL(*append_only("refdata_corporateactionversion")),
        migrations.RunSQL(*append_only("refdata_formername")),
    ]
