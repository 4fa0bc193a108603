from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("venues", "0002_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="Inquiry",
            fields=[
                ("request_id", models.UUIDField(primary_key=True, serialize=False)),
                ("order_id", models.UUIDField()),
                ("session_group", models.CharField(max_length=24)),
                ("session", models.CharField(max_length=24)),
                ("kind", models.CharField(max_length=8)),
                ("cl_ord_id", models.CharField(max_length=32)),
                (
                    "state",
                    models.CharField(choices=[("open", "Open"), ("closed", "Closed")], default="open", max_length=6),
                ),
                ("reason", models.TextField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("opened_at", models.DateTimeField()),
                ("first_asked_at", models.DateTimeField(null=True)),
                ("last_asked_at", models.DateTimeField(null=True)),
                ("next_at", models.DateTimeField()),
                ("review_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(default="", max_length=24)),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")), fields=["session", "next_at"], name="venues_inquiry_due"
                    )
                ],
            },
        ),
    ]
