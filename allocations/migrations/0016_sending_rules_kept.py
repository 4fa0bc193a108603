"""Rules of sending are written once; what is held back has not left, proved of every row."""

from typing import ClassVar

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

from journal.triggers import append_only


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0015_sending_rules"), ("journal", "0001_initial")]

    operations: ClassVar = [
        ValidateConstraint(model_name="settlementinstruction", name="allocations_instruction_held_waits"),
        migrations.RunSQL(*append_only("allocations_sendingrule")),
    ]
