"""Items go along the table of states: what was open begins unreviewed, with a day to its deadline; then the guards.

The relay, which alone begins items, stands while this runs: its cursor keeps what was raised meanwhile.
"""

from typing import ClassVar

from django.db import migrations

from journal.triggers import never_deleted, state_pairs
from operations.domain.exception_states import PAIRS, UNREVIEWED

TABLE = "operations_exceptionitem"
KEPT = ("id", "kind", "dedupe_key", "first_event_id", "raised_at")
FORWARD = f"""
UPDATE {TABLE} SET state = 'unreviewed', next_at = raised_at + interval '12 hours' WHERE state = 'open';
UPDATE {TABLE} SET ages_from = raised_at, due_at = raised_at + interval '24 hours' WHERE due_at IS NULL
"""  # noqa: S608
BACKWARD = f"""
UPDATE {TABLE} SET state = 'open' WHERE state IN ('unreviewed', 'under_review', 'snoozed', 'waiting');
UPDATE {TABLE} SET state = 'cleared' WHERE state <> 'open'
"""  # noqa: S608


class Migration(migrations.Migration):
    dependencies: ClassVar = [("operations", "0004_exceptions_worked"), ("journal", "0001_initial")]
    operations: ClassVar = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunSQL(*never_deleted(TABLE)),
        migrations.RunSQL(*state_pairs(TABLE, column="state", initial=[UNREVIEWED], pairs=PAIRS, frozen=KEPT)),
    ]
