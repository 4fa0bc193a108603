"""What a corporate action came to for an account is append-only."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0010_action_entries"), ("journal", "0002_guards")]

    operations: ClassVar = [migrations.RunSQL(*append_only("accounts_actionentry"))]
