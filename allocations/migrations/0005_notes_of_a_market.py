"""A day's note is of one market; one is live; what is stale or not delivered is found without reading all notes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("allocations", "0004_intention_is_never_late"),
    ]

    operations = [
        migrations.AddField(
            model_name="contractnote",
            name="delivered_at",
            field=models.DateTimeField(help_text="Its file was written to the outgoing directory", null=True),
        ),
        migrations.AddField(
            model_name="contractnote",
            name="mic",
            field=models.CharField(db_default="", default="", max_length=4),
        ),
        migrations.AddField(
            model_name="contractnote",
            name="stale_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="contractnote",
            index=models.Index(fields=["-issued_at"], name="allocations_note_issued"),
        ),
        migrations.AddIndex(
            model_name="contractnote",
            index=models.Index(
                condition=models.Q(("delivered_at__isnull", True)),
                fields=["series"],
                name="allocations_note_to_deliver",
            ),
        ),
        migrations.AddIndex(
            model_name="contractnote",
            index=models.Index(
                condition=models.Q(("stale_at__isnull", False)), fields=["account"], name="allocations_note_stale"
            ),
        ),
        migrations.AddConstraint(
            model_name="contractnote",
            constraint=models.CheckConstraint(
                condition=models.Q(("replaces__isnull", True), ("cancels__isnull", True), _connector="OR"),
                name="allocations_note_replaces_or_cancels",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractnote",
            constraint=models.UniqueConstraint(
                condition=models.Q(("cancels__isnull", True), ("scope", "day"), ("state", "issued")),
                fields=("account", "trade_date", "mic"),
                name="allocations_note_one_live",
            ),
        ),
    ]
