"""The numbers people call blocks and allocations by. A number may be left out (a transaction that failed), never used twice."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0002_guards")]

    operations: ClassVar = [
        migrations.RunSQL(f"CREATE SEQUENCE allocations_{name}_number", f"DROP SEQUENCE allocations_{name}_number")
        for name in ("block", "allocation")
    ]
