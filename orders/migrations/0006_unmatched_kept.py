"""What matched no order, and what became of it, is never deleted."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import never_deleted


class Migration(migrations.Migration):
    dependencies: ClassVar = [("orders", "0005_unmatched_and_suspense"), ("journal", "0002_guards")]

    operations: ClassVar = [
        migrations.RunSQL(*never_deleted(table))
        for table in ("orders_unknownorder", "orders_unmatchedreport", "orders_venuename")
    ]
