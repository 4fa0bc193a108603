"""An order may stand in the place of a canceled one whose rest it is."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("orders", "0006_unmatched_kept")]

    operations: ClassVar = [
        migrations.AddField(model_name="order", name="replaces_id", field=models.UUIDField(null=True)),
    ]
