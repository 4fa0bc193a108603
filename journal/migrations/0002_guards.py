"""Events are append-only."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import DENY_FUNCTION, append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [("journal", "0001_initial")]

    operations: ClassVar = [
        migrations.RunSQL(*DENY_FUNCTION),
        migrations.RunSQL(*append_only("journal_event")),
    ]
