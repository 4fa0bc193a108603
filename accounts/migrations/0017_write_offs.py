"""A difference that was written off is a booking of its own kind."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0016_bookings_by_time"),
    ]

    operations = [
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
                    ("split", "Split"),
                    ("dividend", "Dividend"),
                    ("statement", "Statement: what no trade explains"),
                    ("settlement", "Settlement"),
                    ("write_off", "Written off"),
                ],
                max_length=12,
            ),
        ),
    ]
