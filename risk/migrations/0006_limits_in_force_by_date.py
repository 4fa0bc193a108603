"""Marks are in force from and before a time, and name the approved request that set them; kinds of usage and position."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("risk", "0005_limit_usage"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="limit",
            name="risk_limit_once",
        ),
        migrations.AddField(
            model_name="historicallimit",
            name="change_id",
            field=models.UUIDField(
                help_text="The approved request that set it; null for a mark of the setup", null=True
            ),
        ),
        migrations.AddField(
            model_name="historicallimit",
            name="effective_from",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="historicallimit",
            name="effective_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="limit",
            name="change_id",
            field=models.UUIDField(
                help_text="The approved request that set it; null for a mark of the setup", null=True
            ),
        ),
        migrations.AddField(
            model_name="limit",
            name="effective_from",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="limit",
            name="effective_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="historicallimit",
            name="kind",
            field=models.CharField(
                choices=[
                    ("order_qty", "Quantity of one order"),
                    ("order_notional", "Value of one order"),
                    ("price_collar", "Distance of a limit from the last price, as a fraction of it"),
                    ("price_age", "Age of the reference price in seconds"),
                    ("open_orders", "Open orders of the scope"),
                    ("open_notional", "Value of the scope's open orders, buys and sells added"),
                    ("daily_gross", "Bought, sold and open on one business date, added"),
                    ("daily_net", "Bought less sold on one business date with all that is open on the worse side"),
                    ("position_qty", "Units of one instrument in one account, open orders counted"),
                    ("position_value", "Value of one instrument in one account, open orders counted"),
                    ("concentration", "Share of one instrument in the value of its account"),
                    ("adv_share", "Position of one account as a share of the average daily volume"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="limit",
            name="kind",
            field=models.CharField(
                choices=[
                    ("order_qty", "Quantity of one order"),
                    ("order_notional", "Value of one order"),
                    ("price_collar", "Distance of a limit from the last price, as a fraction of it"),
                    ("price_age", "Age of the reference price in seconds"),
                    ("open_orders", "Open orders of the scope"),
                    ("open_notional", "Value of the scope's open orders, buys and sells added"),
                    ("daily_gross", "Bought, sold and open on one business date, added"),
                    ("daily_net", "Bought less sold on one business date with all that is open on the worse side"),
                    ("position_qty", "Units of one instrument in one account, open orders counted"),
                    ("position_value", "Value of one instrument in one account, open orders counted"),
                    ("concentration", "Share of one instrument in the value of its account"),
                    ("adv_share", "Position of one account as a share of the average daily volume"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.UniqueConstraint(
                fields=("scope", "scope_id", "kind", "currency", "effective_from"),
                name="risk_limit_once_a_start",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("effective_from__isnull", True),
                    ("effective_until__isnull", True),
                    ("effective_from__lt", models.F("effective_until")),
                    _connector="OR",
                ),
                name="risk_limit_begins_before_it_ends",
            ),
        ),
    ]
