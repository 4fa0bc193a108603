"""What orders count and what the counted scopes use: three tables that change with the orders."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("risk", "0004_kill_switch"),
    ]

    operations = [
        migrations.CreateModel(
            name="LimitUsage",
            fields=[
                ("key", models.TextField(primary_key=True, serialize=False)),
                ("version", models.BigIntegerField(default=0)),
                ("counted_from", models.DateField()),
                ("open_orders", models.IntegerField(default=0)),
                ("open_buy", models.DecimalField(decimal_places=14, default=0, max_digits=38)),
                ("open_sell", models.DecimalField(decimal_places=14, default=0, max_digits=38)),
            ],
        ),
        migrations.CreateModel(
            name="DailyUsage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.TextField()),
                ("business_date", models.DateField()),
                ("bought", models.DecimalField(decimal_places=14, default=0, max_digits=38)),
                ("sold", models.DecimalField(decimal_places=14, default=0, max_digits=38)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("key", "business_date"), name="risk_daily_usage_once")],
            },
        ),
        migrations.CreateModel(
            name="OrderUsage",
            fields=[
                ("order_id", models.UUIDField(primary_key=True, serialize=False)),
                ("desk_id", models.IntegerField()),
                ("dealer_id", models.IntegerField()),
                ("client_id", models.UUIDField()),
                ("account_id", models.UUIDField()),
                ("instrument_id", models.UUIDField()),
                ("mic", models.CharField(max_length=4)),
                ("strategy", models.CharField(default="", max_length=40)),
                ("is_buy", models.BooleanField()),
                ("currency", models.CharField(max_length=3)),
                ("rate", models.DecimalField(decimal_places=10, max_digits=20)),
                ("open_orders", models.SmallIntegerField(default=0)),
                ("open_qty", models.DecimalField(decimal_places=8, default=0, max_digits=24)),
                ("open_value", models.DecimalField(decimal_places=4, default=0, max_digits=24)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("open_orders", 1)),
                        fields=["account_id", "instrument_id"],
                        name="risk_usage_open_by_account",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("open_orders__in", [0, 1]), ("open_qty__gte", 0), ("open_value__gte", 0)),
                        name="risk_order_usage_sane",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("open_orders", 1), models.Q(("open_qty", 0), ("open_value", 0)), _connector="OR"
                        ),
                        name="risk_order_usage_closed_is_zero",
                    ),
                ],
            },
        ),
    ]
