"""Stops and what they reached are never deleted: the proof is made of them."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import never_deleted


class Migration(migrations.Migration):
    dependencies: ClassVar = [("orders", "0011_kill_sweeps"), ("journal", "0002_guards")]

    operations: ClassVar = [
        migrations.RunSQL(*never_deleted(table)) for table in ("orders_killsweep", "orders_stoppedorder")
    ]
