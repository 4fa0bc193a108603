"""Raw messages and hand-overs are evidence: no row is ever changed or removed."""

from django.db import migrations

from journal.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("venues", "0001_initial"), ("journal", "0002_guards")]
    operations = [
        migrations.RunSQL(*append_only("venues_wiremessage")),
        migrations.RunSQL(*append_only("venues_handover")),
    ]
