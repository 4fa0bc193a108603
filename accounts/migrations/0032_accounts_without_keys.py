"""Accounts give up the keys that asked about client and group row by row; their indexes stay.

What the keys held is held by 0031 from before this. Only catalogue rows change: nothing is rewritten or scanned.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0031_accounts_name_at_once")]

    operations = [
        migrations.AlterField(
            model_name="tradingaccount",
            name=name,
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accounts",
                to=to,
            ),
        )
        for name, to in (("client", "accounts.client"), ("group", "accounts.accountgroup"))
    ]
