"""Intakes are never deleted and move along their table; what they are about never changes."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import never_deleted, state_pairs
from reconciliation.domain import intake_states as moves
from reconciliation.domain.transitions import pairs

FROZEN = ("id", "file_id", "kind", "source", "started_by", "created_at")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("reconciliation", "0008_intakes"), ("journal", "0001_initial")]
    operations: ClassVar = [
        migrations.RunSQL(*never_deleted("reconciliation_intake")),
        migrations.RunSQL(
            *state_pairs(
                "reconciliation_intake",
                column="state",
                initial=[moves.STAGED],
                pairs=pairs(moves.INTAKE),
                frozen=FROZEN,
            )
        ),
    ]
