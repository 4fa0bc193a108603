"""Parts that confirm single trades: which accounts an event of settled trades tells of."""

from typing import ClassVar

from django.db import migrations, models

WHATS = [("accounts", "Accounts"), ("cash", "Cash"), ("holdings", "Holdings"), ("trades", "Trades")]


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0028_history_by_account")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="statementpart", name="what", field=models.CharField(choices=WHATS, max_length=8)
        )
    ]
