from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("venues", "0006_recovery_kept"),
    ]

    operations = [
        migrations.AddField(
            model_name="fixsession",
            name="held_until",
            field=models.DateTimeField(null=True),
        ),
    ]
