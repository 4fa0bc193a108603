"""The first policies of repairs of breaks and of changes of the rules of reconciliation."""

from importlib import import_module
from typing import ClassVar

from django.db import migrations

first_policies = import_module("authorisation.migrations.0006_checker_guards").first_policies


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0023_closers_apart")]

    operations: ClassVar = [migrations.RunPython(first_policies, migrations.RunPython.noop)]
