# What of a block a booking belongs to, and which event tells of which accounts.

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0020_allocation_bookings")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="AllocationPart",
            fields=[
                ("event_id", models.UUIDField(primary_key=True, serialize=False)),
                ("from_account", models.UUIDField(db_index=True)),
                ("first_account", models.UUIDField()),
                ("last_account", models.UUIDField()),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["first_account", "last_account"], name="accounts_allocation_accounts")
                ],
            },
        ),
        migrations.AddField(
            model_name="booking",
            name="allocation_id",
            field=models.UUIDField(help_text="What an account got of a block: opaque here", null=True),
        ),
    ]
