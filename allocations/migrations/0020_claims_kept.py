"""Claims are numbered, move along their table and are never deleted; whose they are and for what never changes."""

from typing import ClassVar

from django.db import migrations

from allocations.domain import transitions as moves
from journal.triggers import never_deleted, state_pairs

RAISED = ("id", "number", "action_id", "instruction_id", "account_id", "currency", "raised_at")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0019_claims"), ("journal", "0001_initial")]

    operations: ClassVar = [
        migrations.RunSQL("CREATE SEQUENCE allocations_claim_number", "DROP SEQUENCE allocations_claim_number"),
        migrations.RunSQL(*never_deleted("allocations_claim")),
        migrations.RunSQL(
            *state_pairs(
                "allocations_claim",
                column="state",
                initial=[moves.RAISED],
                pairs=moves.pairs(moves.CLAIM),
                frozen=RAISED,
            )
        ),
    ]
