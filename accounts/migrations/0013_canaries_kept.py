"""An account marked as a canary's stays one: no way leads back to a session."""

from django.db import migrations

from journal.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_canaries")]

    operations = [migrations.RunSQL(*append_only("accounts_canaryaccount"))]
