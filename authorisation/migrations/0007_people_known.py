"""Every request and every decision knows the people behind it: the triggers fill them in, also for code that does not."""

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def known(related: str = "+") -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name=related, to=settings.AUTH_USER_MODEL
    )


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0006_checker_guards")]

    operations: ClassVar = [
        migrations.AlterField("authorisationrequest", "maker_person", known()),
        migrations.AlterField("decision", "maker_person", known()),
        migrations.AlterField("decision", "checker_person", known()),
    ]
