"""A claim without a currency is of shares; nothing changes in the database."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0023_transformed_guards")]

    operations: ClassVar = [
        migrations.AlterField(model_name="claim", name="currency", field=models.CharField(blank=True, max_length=3)),
    ]
