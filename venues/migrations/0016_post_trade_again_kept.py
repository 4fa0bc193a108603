"""That a message was given to the engine again is evidence, as the first time is."""

from django.db import migrations

from journal.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("venues", "0015_post_trade_fate")]
    operations = [migrations.RunSQL(*append_only("venues_posttradeagain"))]
