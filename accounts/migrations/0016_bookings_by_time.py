"""Bookings after a cut, and due by a day, are found without reading all; built without holding up bookings."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("accounts", "0015_statements_kept")]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="booking",
            index=BrinIndex(
                fields=["recorded_at", "settlement_date"], name="accounts_booking_when", pages_per_range=32
            ),
        ),
    ]
