# What an account pays and what a booking charges.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_fee_schedules"),
    ]

    operations = [
        migrations.AddField(
            model_name="booking",
            name="charge",
            field=models.CharField(
                db_default="", default="", help_text="Of a charge: the schedule's line", max_length=40
            ),
        ),
        migrations.AddField(
            model_name="historicaltradingaccount",
            name="account_class",
            field=models.CharField(
                db_default="standard", default="standard", help_text="What fees it pays", max_length=24
            ),
        ),
        migrations.AddField(
            model_name="historicaltradingaccount",
            name="opens_currencies",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="May sell in a currency it holds no balance in: one is opened",
            ),
        ),
        migrations.AddField(
            model_name="tradingaccount",
            name="account_class",
            field=models.CharField(
                db_default="standard", default="standard", help_text="What fees it pays", max_length=24
            ),
        ),
        migrations.AddField(
            model_name="tradingaccount",
            name="opens_currencies",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="May sell in a currency it holds no balance in: one is opened",
            ),
        ),
        migrations.AlterField(
            model_name="booking",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opening", "Opening"),
                    ("trade", "Trade"),
                    ("bust", "Bust"),
                    ("correction", "Correction"),
                    ("deposit", "Deposit"),
                    ("suspense", "Suspense"),
                    ("withdrawal", "Withdrawal"),
                    ("commission", "Commission"),
                    ("fee", "Fee"),
                    ("tax", "Tax"),
                ],
                max_length=12,
            ),
        ),
    ]
