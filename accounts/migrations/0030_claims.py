"""Bookings for what is claimed between two sides of a trade."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0029_settled_trades")]

    operations: ClassVar = [
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
                    ("allocation", "Allocation"),
                    ("compensation", "Compensation of a settled trade"),
                    ("claim", "Claim between the sides of a trade"),
                ],
                max_length=12,
            ),
        ),
    ]
