"""Holds keep what they cover: they are never deleted, released once, and asked by whatever removes records."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import append_only, never_deleted, state_pairs

IS_HELD = (
    """
CREATE FUNCTION journal_is_held(made_at timestamptz, symbol text DEFAULT '') RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM journal_legalhold h
         WHERE h.state = 'held' AND h.from_at <= made_at AND (h.to_at IS NULL OR made_at < h.to_at)
           AND (h.symbols = '[]'::jsonb OR symbol = '' OR h.symbols ? symbol))
$$
""",
    "DROP FUNCTION journal_is_held(timestamptz, text)",
)
KEPT = ("matter", "reason", "subject_kind", "subject", "symbols", "from_at", "to_at", "placed_by", "placed_at")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("journal", "0008_retention")]

    operations: ClassVar = [
        migrations.RunSQL(*append_only("journal_retentionrule")),
        migrations.RunSQL(*append_only("journal_archive")),
        migrations.RunSQL(*never_deleted("journal_legalhold")),
        migrations.RunSQL(
            *state_pairs(
                "journal_legalhold", column="state", initial=("held",), pairs=(("held", "released"),), frozen=KEPT
            )
        ),
        migrations.RunSQL(*IS_HELD),
    ]
