"""How we confirm with whom, in which message ours left, and why a record pairs with nothing; what a record says never changes."""

from typing import ClassVar

from django.db import migrations, models

from journal.triggers import append_only, state_pairs

STATES = ("unpaired", "paired", "superseded")
SAID = ("id", "counterparty", "kind", "their_ref", "trans_type", "says", "source", "received_at", "event_id")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0006_what_a_note_tells")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="confirmation",
            name="sent_in",
            field=models.CharField(
                db_default="",
                default="",
                help_text="AllocID (70) or AllocReportID (755) of the message it left in",
                max_length=40,
            ),
        ),
        migrations.AddField(
            model_name="counterpartyrecord",
            name="by_hand",
            field=models.BooleanField(db_default=False, default=False, help_text="A person said whom it is about"),
        ),
        migrations.AddField(
            model_name="counterpartyrecord",
            name="why",
            field=models.TextField(
                db_default="", default="", help_text="Why it is unpaired, or who paired it by hand and why"
            ),
        ),
        migrations.CreateModel(
            name="CounterpartyTerms",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("counterparty", models.CharField(max_length=24)),
                ("role", models.CharField(choices=[("buy_side", "Buy side"), ("broker", "Broker")], max_length=8)),
                (
                    "channel",
                    models.CharField(choices=[("fix", "FIX"), ("file", "File"), ("none", "By hand")], max_length=4),
                ),
                ("confirms_direct", models.BooleanField(default=False)),
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
                    models.UniqueConstraint(fields=("counterparty", "version"), name="allocations_terms_version")
                ],
            },
        ),
        migrations.RunSQL(*append_only("allocations_counterpartyterms")),
        migrations.RunSQL(
            *state_pairs(
                "allocations_counterpartyrecord",
                column="state",
                initial=STATES,
                pairs=[(one, other) for one in STATES for other in STATES if one != other],
                frozen=SAID,
            )
        ),
    ]
