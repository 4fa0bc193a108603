"""Who bears what a buy-in cost."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0020_claims_kept")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="buyin",
            name="bearer",
            field=models.CharField(
                blank=True,
                choices=[("house", "house"), ("account", "account")],
                db_default="",
                default="",
                max_length=8,
            ),
        ),
    ]
