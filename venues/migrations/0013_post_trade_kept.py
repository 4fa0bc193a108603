"""What was handed over after a trade is evidence, and what was to be said stays on record."""

from django.db import migrations

from journal.triggers import append_only, never_deleted


class Migration(migrations.Migration):
    dependencies = [("venues", "0012_post_trade")]
    operations = [
        migrations.RunSQL(*append_only("venues_posttradehandover")),
        migrations.RunSQL(*never_deleted("venues_posttradeintent")),
    ]
