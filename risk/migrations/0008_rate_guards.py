"""A mark for rates is never changed, only followed by another; buckets are updated in place, so their pages keep room."""

from django.db import migrations

from journal.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("risk", "0007_rate_marks")]

    operations = [
        migrations.RunSQL(*append_only("risk_ratemark")),
        migrations.RunSQL(
            "ALTER TABLE risk_ratebucket SET (fillfactor = 25)", "ALTER TABLE risk_ratebucket RESET (fillfactor)"
        ),
    ]
