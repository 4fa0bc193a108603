"""Which trades a note tells of is written once with the note and never changed."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0005_notes_of_a_market")]

    operations: ClassVar = [migrations.RunSQL(*append_only("allocations_contractnote_allocations"))]
