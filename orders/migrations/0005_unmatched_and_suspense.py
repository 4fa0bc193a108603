"""Reports that no order of ours explains yet, the names venues use, and what lies in suspense."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_suspense_account"),
        ("orders", "0004_days_and_patience"),
        ("refdata", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="UnknownOrder",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("session", models.CharField(max_length=24)),
                ("name", models.CharField(max_length=160)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("suspense", "Suspense"),
                            ("matched", "Matched"),
                            ("accepted", "Accepted"),
                            ("dk", "Dk"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("side", models.CharField(default="", max_length=1)),
                ("booked_qty", models.DecimalField(decimal_places=8, default=0, max_digits=24)),
                ("booked_cash", models.DecimalField(decimal_places=8, default=0, max_digits=24)),
                ("raised_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="UnmatchedReport",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("session", models.CharField(max_length=24)),
                ("epoch", models.CharField(max_length=40)),
                ("msg_seq_num", models.BigIntegerField()),
                ("identity", models.CharField(max_length=160)),
                ("cl_ord_id", models.CharField(default="", max_length=64)),
                ("orig_cl_ord_id", models.CharField(default="", max_length=64)),
                ("venue_order_id", models.CharField(default="", max_length=64)),
                ("report", models.JSONField()),
                ("recorded_at", models.DateTimeField()),
                ("joined_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="VenueName",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("session_group", models.CharField(max_length=24)),
                ("venue_order_id", models.CharField(max_length=64)),
            ],
        ),
        migrations.AddField(
            model_name="execution",
            name="suspense_cash",
            field=models.DecimalField(db_default=0, decimal_places=8, default=0, max_digits=24),
        ),
        migrations.AddField(
            model_name="execution",
            name="suspense_qty",
            field=models.DecimalField(db_default=0, decimal_places=8, default=0, max_digits=24),
        ),
        migrations.AddField(
            model_name="order",
            name="accepted_excess",
            field=models.DecimalField(db_default=0, decimal_places=8, default=0, max_digits=24),
        ),
        migrations.AddField(
            model_name="order",
            name="suspense_account_id",
            field=models.UUIDField(db_default=None, null=True),
        ),
        migrations.AddConstraint(
            model_name="execution",
            constraint=models.CheckConstraint(
                condition=models.Q(("suspense_qty__gte", 0)), name="orders_execution_suspense_not_negative"
            ),
        ),
        migrations.AddField(
            model_name="unknownorder",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.tradingaccount",
            ),
        ),
        migrations.AddField(
            model_name="unknownorder",
            name="listing",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="refdata.listing",
            ),
        ),
        migrations.AddField(
            model_name="unknownorder",
            name="order",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="orders.order",
            ),
        ),
        migrations.AddField(
            model_name="unmatchedreport",
            name="order",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="orders.order",
            ),
        ),
        migrations.AddField(
            model_name="unmatchedreport",
            name="unknown",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reports",
                to="orders.unknownorder",
            ),
        ),
        migrations.AddField(
            model_name="venuename",
            name="order",
            field=models.ForeignKey(
                db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.order"
            ),
        ),
        migrations.AddConstraint(
            model_name="unknownorder",
            constraint=models.UniqueConstraint(fields=("session", "name"), name="orders_unknown_order_once"),
        ),
        migrations.AddIndex(
            model_name="unmatchedreport",
            index=models.Index(
                condition=models.Q(("order__isnull", True)), fields=["venue_order_id"], name="orders_unmatched_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="unmatchedreport",
            constraint=models.UniqueConstraint(
                fields=("session", "epoch", "msg_seq_num", "identity"), name="orders_unmatched_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="venuename",
            constraint=models.UniqueConstraint(
                fields=("venue_order_id", "session_group", "order"), name="orders_venue_name_once"
            ),
        ),
    ]
