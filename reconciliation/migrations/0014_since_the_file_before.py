"""What a file of the start of day says otherwise than the one applied before it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0013_post_trade_policies"),
    ]

    operations = [
        migrations.AddField(
            model_name="intake",
            name="since",
            field=models.JSONField(
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="Against the file applied before it: rows new, changed, gone, same, and the first of them",
            ),
        ),
    ]
