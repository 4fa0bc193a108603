"""What was booked lately is found whatever day it is of; built without holding up bookings."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("allocations", "0024_claims_of_shares")]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="allocation",
            index=BrinIndex(fields=["booked_at"], name="allocations_by_time", pages_per_range=32),
        ),
    ]
