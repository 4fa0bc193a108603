"""An order is entered anew once: the last guard, built without holding up writers."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("orders", "0007_replaces")]

    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "CREATE UNIQUE INDEX CONCURRENTLY orders_order_replaced_once ON orders_order (replaces_id) "
                    "WHERE replaces_id IS NOT NULL",
                    "DROP INDEX CONCURRENTLY orders_order_replaced_once",
                )
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name="order",
                    constraint=models.UniqueConstraint(
                        fields=["replaces_id"],
                        name="orders_order_replaced_once",
                        condition=models.Q(replaces_id__isnull=False),
                    ),
                )
            ],
        ),
    ]
