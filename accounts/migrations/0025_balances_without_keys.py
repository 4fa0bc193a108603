"""Balances give up the key that asked about their account row by row, and the index that the unique one begins with.

What the key held is held by 0024 from before this. Only catalogue rows change: nothing is rewritten or scanned.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0024_balances_name_accounts")]

    operations = [
        migrations.AlterField(
            model_name=model,
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name=related,
                to="accounts.tradingaccount",
            ),
        )
        for model, related in (("cashbalance", "cash"), ("holding", "holdings"))
    ]
