"""What is done about a delivery that failed, step by step; an instruction says how its buy-in ended."""

from typing import ClassVar

import django.db.models.deletion
import django_fsm
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("allocations", "0016_sending_rules_kept"),
    ]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="settlementinstruction",
            name="buy_in",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "None"),
                    ("due", "Due"),
                    ("started", "Started"),
                    ("executed", "Executed"),
                    ("cash", "Cash in its place"),
                ],
                default="",
                max_length=8,
            ),
        ),
        migrations.CreateModel(
            name="BuyIn",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("initiated", "Initiated"),
                            ("executed", "Executed"),
                            ("compensated", "Compensated"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="initiated",
                        max_length=12,
                    ),
                ),
                ("qty", models.DecimalField(decimal_places=8, max_digits=24)),
                ("agent", models.CharField(max_length=60)),
                ("done_qty", models.DecimalField(decimal_places=8, default=0, max_digits=24)),
                ("amount", models.DecimalField(decimal_places=8, default=0, max_digits=24)),
                ("difference", models.DecimalField(decimal_places=8, default=0, max_digits=24)),
                ("reference", models.CharField(default="", max_length=60)),
                ("reason", models.TextField(help_text="Of the last step")),
                ("initiated_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "request_id",
                    models.UUIDField(
                        help_text="The approved request of the last step; null where it ended by itself", null=True
                    ),
                ),
                ("event_id", models.UUIDField()),
                (
                    "instruction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="buy_ins",
                        to="allocations.settlementinstruction",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "initiated")),
                        fields=("instruction",),
                        name="allocations_buyin_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount__gte", 0), ("done_qty__gte", 0), ("done_qty__lte", models.F("qty")), ("qty__gt", 0)
                        ),
                        name="allocations_buyin_positive",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
    ]
