"""Rates of penalties that the house takes instead of the published ones: versions, never changed."""

from typing import ClassVar

from django.db import migrations, models

from journal.triggers import append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0025_allocations_by_time"), ("journal", "0001_initial")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="PenaltyRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mic", models.CharField(max_length=4)),
                ("asset_class", models.CharField(max_length=12)),
                ("bps", models.DecimalField(decimal_places=4, max_digits=8)),
                ("valid_from", models.DateField(help_text="The first day of settlement it is for")),
                ("source", models.CharField(help_text="Whose word it is", max_length=200)),
                ("version", models.IntegerField()),
                ("request_id", models.UUIDField(null=True)),
                ("event_id", models.UUIDField()),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mic", "asset_class", "version"), name="allocations_penaltyrate_version"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("bps__gte", 0), ("bps__lte", 100)), name="allocations_penaltyrate_sound"
                    ),
                ],
            },
        ),
        migrations.RunSQL(*append_only("allocations_penaltyrate")),
    ]
