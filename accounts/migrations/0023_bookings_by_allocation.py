"""What an allocation moved is found without reading all bookings; built without holding up bookings."""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("accounts", "0022_allocation_parts_kept")]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="booking",
            index=models.Index(
                fields=["allocation_id"],
                name="accounts_booking_allocation",
                condition=models.Q(("allocation_id__isnull", False)),
            ),
        ),
    ]
