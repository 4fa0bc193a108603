"""Bookings of later days are found without reading all; built without holding up bookings, in the place of the index before."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("accounts", "0026_room_for_versions")]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="booking",
            index=BrinIndex(
                fields=["recorded_at", "settlement_date", "trade_date"],
                name="accounts_booking_times",
                pages_per_range=32,
            ),
        ),
        RemoveIndexConcurrently(model_name="booking", name="accounts_booking_when"),
    ]
