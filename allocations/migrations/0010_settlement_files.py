"""Files for custodians, kept byte for byte; the record of a status as it came."""

from typing import ClassVar

import django_fsm
from django.db import migrations, models

KINDS = [
    ("sese.023", "Instructions, sese.023"),
    ("sese.020", "Cancellations, sese.020"),
    ("csv", "Instructions and cancellations, CSV"),
]


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0009_lines_are_the_block_always")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="settlementstatus",
            name="raw",
            field=models.TextField(default="", help_text="The record as it came"),
        ),
        migrations.CreateModel(
            name="SettlementFile",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("place", models.CharField(max_length=120, unique=True)),
                ("agent", models.CharField(max_length=11)),
                ("kind", models.CharField(choices=KINDS, max_length=8)),
                ("content", models.TextField()),
                ("sha256", models.CharField(max_length=64)),
                ("instructions", models.JSONField(default=list)),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[("made", "Made"), ("written", "Written")], default="made", max_length=8
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("written_at", models.DateTimeField(null=True)),
                ("event_id", models.UUIDField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(state="made"), fields=["made_at"], name="allocations_settlementfile_due"
                    )
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
    ]
