"""Seals, their keys and the record of their anchoring are append-only."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [("journal", "0003_seals")]

    operations: ClassVar = [
        migrations.RunSQL(*append_only("journal_seal")),
        migrations.RunSQL(*append_only("journal_sealkey")),
        migrations.RunSQL(*append_only("journal_sealanchor")),
    ]
