"""Events are append-only, and a writer has its transaction id before it draws a position."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import DENY_FUNCTION, XID_FIRST, append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [("journal", "0001_initial")]

    operations: ClassVar = [
        migrations.RunSQL(*DENY_FUNCTION),
        migrations.RunSQL(*append_only("journal_event")),
        migrations.RunSQL(*XID_FIRST),
    ]
