"""When instructions leave, by account and market; an instruction may be held back by a person and then only waits."""

from typing import ClassVar

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

LEAVES = [("on_affirmation", "On Affirmation"), ("on_booking", "On Booking")]


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0014_what_ends_a_record")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="SendingRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account", models.CharField(default="", help_text="Code of the account; empty: any", max_length=24)),
                ("mic", models.CharField(default="", help_text="Empty: any market", max_length=4)),
                ("leaves", models.CharField(choices=LEAVES, max_length=16)),
                ("valid_from", models.DateField(help_text="The first trade date it is for")),
                ("version", models.IntegerField()),
                (
                    "request_id",
                    models.UUIDField(help_text="The approved request; null in a first version of the house", null=True),
                ),
                ("event_id", models.UUIDField()),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "mic", "version"), name="allocations_sendingrule_version"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="settlementinstruction",
            name="held_at",
            field=models.DateTimeField(help_text="Since when a person holds it back; it does not leave", null=True),
        ),
        migrations.AddField(
            model_name="settlementinstruction", name="held_by", field=models.TextField(db_default="", default="")
        ),
        migrations.AddField(
            model_name="settlementinstruction", name="held_why", field=models.TextField(db_default="", default="")
        ),
        AddConstraintNotValid(
            model_name="settlementinstruction",
            constraint=models.CheckConstraint(
                condition=models.Q(held_at__isnull=True) | models.Q(state__in=["waiting", "canceled"]),
                name="allocations_instruction_held_waits",
            ),
        ),
    ]
