"""What a locate is used for is found by the orders that name it; built without holding up captures."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0013_count_open_orders")]

    operations = [
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                condition=models.Q(("locate_ref", ""), _negated=True),
                fields=["account", "locate_ref"],
                name="orders_by_locate",
            ),
        ),
    ]
