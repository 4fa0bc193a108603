"""Buy-ins move along their table and are never deleted; what was asked for first never changes."""

from typing import ClassVar

from django.db import migrations

from allocations.domain import transitions as moves
from journal.triggers import never_deleted, state_pairs

ASKED = ("id", "instruction_id", "qty", "agent", "initiated_at")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0017_buy_ins"), ("journal", "0001_initial")]

    operations: ClassVar = [
        migrations.RunSQL(*never_deleted("allocations_buyin")),
        migrations.RunSQL(
            *state_pairs(
                "allocations_buyin",
                column="state",
                initial=[moves.INITIATED],
                pairs=moves.pairs(moves.BUY_IN),
                frozen=ASKED,
            )
        ),
    ]
