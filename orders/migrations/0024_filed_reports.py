"""Reports that came from a file, with whose word they are and where it stands."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0023_groups_of_requests"),
    ]

    operations = [
        migrations.CreateModel(
            name="FiledReport",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("identity", models.CharField(max_length=160)),
                (
                    "exec_id",
                    models.CharField(default="", help_text="Empty: it is about the order's state", max_length=64),
                ),
                ("request_id", models.UUIDField(help_text="The approved request (trigger)")),
                ("source", models.CharField(max_length=40)),
                ("file", models.CharField(max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("line", models.BigIntegerField()),
                ("raw", models.TextField()),
                (
                    "said",
                    models.JSONField(
                        default=list, help_text="ExecType, quantity and price, as the report was made from it"
                    ),
                ),
                ("filed_at", models.DateTimeField()),
                (
                    "heard_as",
                    models.CharField(
                        default="", help_text="Identity of the same execution over a session", max_length=160
                    ),
                ),
                ("heard_at", models.DateTimeField(null=True)),
                ("heard_in", models.BigIntegerField(help_text="The wire message that told it", null=True)),
                (
                    "order",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="filed",
                        to="orders.order",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("exec_id", ""), _negated=True),
                        fields=["order", "exec_id"],
                        name="orders_filedreport_exec",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("order", "identity"), name="orders_filedreport_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sha256", ""), _negated=True),
                            models.Q(("raw", ""), _negated=True),
                            ("line__gt", 0),
                        ),
                        name="orders_filedreport_says_where",
                    ),
                ],
            },
        ),
    ]
