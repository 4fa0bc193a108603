"""What the venue of an order takes of requests about it; a constant default, so no row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_guards"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="venue_rules",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
    ]
