import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("venues", "0004_inquiry_kept"),
    ]

    operations = [
        migrations.CreateModel(
            name="Recovery",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("session", models.CharField(max_length=24)),
                ("session_group", models.CharField(max_length=24)),
                ("epoch", models.CharField(max_length=40)),
                ("fence", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asking", "Asking"),
                            ("comparing", "Comparing"),
                            ("equal", "Equal"),
                            ("different", "Different"),
                            ("superseded", "Superseded"),
                        ],
                        max_length=12,
                    ),
                ),
                ("reason", models.TextField(default="")),
                ("mass", models.BooleanField()),
                ("questions", models.IntegerField(default=0)),
                ("expected", models.IntegerField(null=True)),
                ("received", models.IntegerField(default=0)),
                ("orders", models.IntegerField(default=0)),
                ("differences", models.IntegerField(default=0)),
                ("started_at", models.DateTimeField()),
                ("asked_at", models.DateTimeField(null=True)),
                ("overdue_at", models.DateTimeField(null=True)),
                ("opened_at", models.DateTimeField(null=True)),
                ("opened_by", models.TextField(default="")),
                ("opened_reason", models.TextField(default="")),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["session", "-started_at"], name="venues_recovery_latest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["asking", "comparing"])),
                        fields=("session",),
                        name="venues_recovery_one_under_way",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecoveryDifference",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("session", models.CharField(max_length=24)),
                ("kind", models.CharField(max_length=20)),
                ("order_id", models.UUIDField(null=True)),
                ("account_id", models.UUIDField(null=True)),
                ("cl_ord_id", models.CharField(default="", max_length=64)),
                ("venue_order_id", models.CharField(default="", max_length=64)),
                ("ours", models.JSONField(default=dict)),
                ("theirs", models.JSONField(default=dict)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_at", models.DateTimeField()),
                ("found_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(null=True)),
                ("resolution", models.TextField(default="")),
                (
                    "recovery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="found", to="venues.recovery"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("resolved_at", None)),
                        fields=["session", "next_at"],
                        name="venues_difference_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("order_id__isnull", False), ("resolved_at", None)),
                        fields=("session", "order_id"),
                        name="venues_difference_once_an_order",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("order_id", None), ("resolved_at", None)),
                        fields=("session", "venue_order_id"),
                        name="venues_difference_once_a_stranger",
                    ),
                ],
            },
        ),
    ]
