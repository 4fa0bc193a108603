"""When a kind and source is compared once more because of what was suspected while it had just been compared."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0016_feed_versions_kept"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="again_at",
            field=models.DateTimeField(help_text="An anomaly came after it: when to compare once more", null=True),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("again_at__isnull", False)), fields=["again_at"], name="reconciliation_run_again"
            ),
        ),
    ]
