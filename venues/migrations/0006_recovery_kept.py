"""What was found when venue and house were compared stays on record."""

from django.db import migrations

from journal.triggers import never_deleted


class Migration(migrations.Migration):
    dependencies = [("venues", "0005_recovery")]
    operations = [
        migrations.RunSQL(*never_deleted("venues_recovery")),
        migrations.RunSQL(*never_deleted("venues_recoverydifference")),
    ]
