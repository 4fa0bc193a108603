"""What a venue says of an execution since it stated it anew for a split, beside what is booked of it."""

from typing import ClassVar

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("orders", "0025_filed_report_guards"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="execution",
            name="stated_px",
            field=models.DecimalField(decimal_places=8, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="execution",
            name="stated_qty",
            field=models.DecimalField(decimal_places=8, max_digits=24, null=True),
        ),
        AddConstraintNotValid(
            model_name="execution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("stated_px__isnull", True), ("stated_qty__isnull", True)),
                    models.Q(("stated_px__isnull", False), ("stated_qty__gte", 0)),
                    _connector="OR",
                ),
                name="orders_execution_stated_whole",
            ),
        ),
    ]
