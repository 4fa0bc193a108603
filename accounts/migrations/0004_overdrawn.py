"""Find the balances that facts left below what is held."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_append_only"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="cashbalance",
            index=models.Index(
                condition=models.Q(("overdrawn_by_event__isnull", False)),
                fields=["account"],
                name="accounts_cash_overdrawn",
            ),
        ),
        migrations.AddIndex(
            model_name="holding",
            index=models.Index(
                condition=models.Q(("overdrawn_by_event__isnull", False)),
                fields=["account"],
                name="accounts_holding_overdrawn",
            ),
        ),
    ]
