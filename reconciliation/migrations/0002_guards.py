"""Files, runs and breaks are never deleted and move along their tables; versions of rules and what a run saw never change."""

from django.db import migrations

from journal.triggers import append_only, never_deleted, state_pairs
from reconciliation.domain import transitions as moves

FILE = ("id", "kind", "source", "name", "sha256", "size", "received_by", "received_at")
FILE_PAIRS = [("received", state) for state in ("read", "partly", "refused")] + [("read", "partly"), ("partly", "read")]
RUN = ("id", "kind", "source", "file_id", "as_of", "trigger", "started_by", "created_at")
BREAK = ("id", "number", "key", "recurrence", "kind", "source", "category", "first_run_id", "found_at")


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0001_initial"), ("journal", "0001_initial")]
    operations = [
        *(
            migrations.RunSQL(*append_only(f"reconciliation_{table}"))
            for table in ("tolerance", "breakpolicy", "outsidename", "runbreak")
        ),
        *(migrations.RunSQL(*never_deleted(f"reconciliation_{table}")) for table in ("feedfile", "run", "break")),
        migrations.RunSQL(
            *state_pairs("reconciliation_feedfile", column="state", initial=["received"], pairs=FILE_PAIRS, frozen=FILE)
        ),
        migrations.RunSQL(
            *state_pairs(
                "reconciliation_run", column="state", initial=[moves.WAITING], pairs=moves.pairs(moves.RUN), frozen=RUN
            )
        ),
        migrations.RunSQL(
            *state_pairs(
                "reconciliation_break",
                column="state",
                initial=[moves.OPEN],
                pairs=moves.pairs(moves.BREAK),
                frozen=BREAK,
            )
        ),
    ]
