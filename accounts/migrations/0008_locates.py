"""Units that lenders promised for short sales."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_charges"),
    ]

    operations = [
        migrations.CreateModel(
            name="Locate",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("ref", models.CharField(max_length=64)),
                ("instrument_id", models.UUIDField()),
                ("qty", models.DecimalField(decimal_places=8, max_digits=24)),
                ("lender", models.CharField(max_length=80)),
                ("expires_at", models.DateTimeField()),
                ("event_id", models.UUIDField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="locates",
                        to="accounts.tradingaccount",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "ref"), name="accounts_locate_once"),
                    models.CheckConstraint(condition=models.Q(("qty__gt", 0)), name="accounts_locate_positive"),
                ],
            },
        ),
    ]
