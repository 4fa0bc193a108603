"""Which event of a block tells of which accounts is append-only."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0021_allocation_parts"), ("journal", "0002_guards")]

    operations: ClassVar = [migrations.RunSQL(*append_only("accounts_allocationpart"))]
