"""The day a status was derived for, and what was told to stand still; nothing that is here is rewritten."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_append_only"),
        ("authorisation", "0003_guards"),
        ("orders", "0003_venue_rules"),
        ("refdata", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StuckMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("cl_ord_id", models.CharField(default="", max_length=32)),
                ("state", models.CharField(max_length=24)),
                ("since", models.DateTimeField()),
                ("told_at", models.DateTimeField()),
                ("moved_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="order",
            name="state_date",
            field=models.DateField(db_default=None, null=True),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("ord_status__in", ["3", "B"]), ("time_in_force__in", ["1", "6"])),
                fields=["id"],
                name="orders_done_until_tomorrow",
            ),
        ),
        migrations.AddIndex(
            model_name="orderrequest",
            index=models.Index(
                condition=models.Q(("state__in", ["captured", "pending_authorisation", "released"])),
                fields=["captured_at"],
                name="orders_request_not_sent",
            ),
        ),
        migrations.AddField(
            model_name="stuckmark",
            name="order",
            field=models.ForeignKey(
                db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.order"
            ),
        ),
        migrations.AddConstraint(
            model_name="stuckmark",
            constraint=models.UniqueConstraint(
                condition=models.Q(("moved_at__isnull", True)),
                fields=("order", "cl_ord_id", "state"),
                name="orders_stuck_once",
            ),
        ),
    ]
