"""Market claims as rows that people follow."""

from typing import ClassVar

import django.db.models.deletion
import django_fsm
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("accounts", "0030_claims"),
        ("allocations", "0018_buy_ins_kept"),
        ("refdata", "0010_tick_holds"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Claim",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(unique=True)),
                ("counterparty", models.CharField(blank=True, max_length=24)),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("raised", "Raised"),
                            ("agreed", "Agreed"),
                            ("disputed", "Disputed"),
                            ("paid", "Paid"),
                            ("written_off", "Written off"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="raised",
                        max_length=12,
                    ),
                ),
                ("units", models.DecimalField(decimal_places=8, max_digits=24)),
                ("amount", models.DecimalField(decimal_places=8, max_digits=24)),
                ("currency", models.CharField(max_length=3)),
                ("expected_on", models.DateField(help_text="The day after the payment: from then on it ages")),
                ("paid_on", models.DateField(null=True)),
                ("reference", models.CharField(default="", max_length=60)),
                ("reason", models.TextField(default="", help_text="Of the last step")),
                ("raised_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "request_id",
                    models.UUIDField(help_text="The approved request that paid it or wrote it off", null=True),
                ),
                ("event_id", models.UUIDField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tradingaccount"
                    ),
                ),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="refdata.corporateaction"
                    ),
                ),
                (
                    "instruction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="allocations.settlementinstruction",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("raised", "agreed", "disputed"))),
                        fields=("action", "instruction"),
                        name="allocations_claim_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["raised", "agreed", "disputed", "withdrawn"]),
                            ("request_id__isnull", False),
                            _connector="OR",
                        ),
                        name="allocations_claim_ended_by_two",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "paid"), _negated=True),
                            models.Q(("paid_on__isnull", False), models.Q(("reference", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="allocations_claim_paid_says_how",
                    ),
                ],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
    ]
