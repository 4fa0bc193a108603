"""Indexes by which an order's peers are found: its twins of a moment ago, and the open orders of a listing by price."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0014_index_of_locates")]

    operations = [
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(fields=["account", "listing", "entered_at"], name="orders_twins"),
        ),
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                condition=models.Q(("is_open", True)), fields=["listing", "side", "price"], name="orders_resting"
            ),
        ),
    ]
