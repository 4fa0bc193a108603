"""The history of an account is read by account and time: names of its client, group and code need no index of their own."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0027_bookings_by_days"),
    ]

    operations = [
        migrations.AlterField(
            model_name="historicaltradingaccount",
            name="client",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.client",
            ),
        ),
        migrations.AlterField(
            model_name="historicaltradingaccount",
            name="code",
            field=models.CharField(max_length=24),
        ),
        migrations.AlterField(
            model_name="historicaltradingaccount",
            name="group",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.accountgroup",
            ),
        ),
    ]
