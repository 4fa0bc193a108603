"""A day's run moves along its table, is of its day for ever, and is never deleted."""

from django.db import migrations

from journal.triggers import never_deleted, state_pairs
from operations.domain.day_steps import RUN, WAITING
from reconciliation.domain.transitions import pairs

FROZEN = ("id", "kind", "place", "day", "started_by", "created_at")


class Migration(migrations.Migration):
    dependencies = [("operations", "0007_day_runs"), ("journal", "0001_initial")]

    operations = [
        migrations.RunSQL(
            *state_pairs("operations_dayrun", column="state", initial=[WAITING], pairs=pairs(RUN), frozen=FROZEN)
        ),
        migrations.RunSQL(*never_deleted("operations_dayrun")),
    ]
