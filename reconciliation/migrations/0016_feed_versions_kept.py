"""Versions of what is agreed about feeds never change."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [("reconciliation", "0015_feed_versions")]

    operations: ClassVar = [migrations.RunSQL(*append_only("reconciliation_feedversion"))]
