"""Executions that a venue stated anew are found without reading all of them; built without holding up trades."""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("orders", "0026_executions_stated_anew")]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="execution",
            index=models.Index(
                fields=["trade_date", "id"],
                name="orders_execution_stated",
                condition=models.Q(("stated_qty__isnull", False)),
            ),
        ),
        ValidateConstraint(model_name="execution", name="orders_execution_stated_whole"),
    ]
