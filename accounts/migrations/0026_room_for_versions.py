"""Leave room on the pages of balances: a new version beside the old one touches no index (a HOT update).

No column that changes is indexed, except when a balance is overdrawn. Takes effect for pages written from now on.
"""

from django.db import migrations

ROOM = {"accounts_cashbalance": 50, "accounts_holding": 85}


class Migration(migrations.Migration):
    dependencies = [("accounts", "0025_balances_without_keys")]

    operations = [
        migrations.RunSQL(f"ALTER TABLE {table} SET (fillfactor = {part})", f"ALTER TABLE {table} RESET (fillfactor)")
        for table, part in ROOM.items()
    ]
