"""The numberings of notes and of the trade feed begin, and which trades a note told of is never changed."""

from typing import Any, ClassVar

from django.db import migrations

from journal.triggers import append_only

SERIES = ("UK", "EU", "US", "AU", "trade-feed")


def begin(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("allocations", "NoteSeries")
    for code in SERIES:
        model.objects.get_or_create(code=code)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0005_notes_of_a_market")]

    operations: ClassVar = [
        migrations.RunPython(begin, migrations.RunPython.noop),
        migrations.RunSQL(*append_only("allocations_contractnote_allocations")),
    ]
