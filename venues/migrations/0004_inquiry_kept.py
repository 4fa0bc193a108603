"""What was asked of a venue stays on record."""

from django.db import migrations

from journal.triggers import never_deleted


class Migration(migrations.Migration):
    dependencies = [("venues", "0003_inquiry")]
    operations = [migrations.RunSQL(*never_deleted("venues_inquiry"))]
