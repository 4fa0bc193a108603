"""The first policies of allocations, standing settlement instructions and the rules of post-trade."""

from importlib import import_module
from typing import ClassVar

from django.db import migrations

first_policies = import_module("authorisation.migrations.0006_checker_guards").first_policies


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0025_allocators_apart")]

    operations: ClassVar = [migrations.RunPython(first_policies, migrations.RunPython.noop)]
