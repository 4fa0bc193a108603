"""The first policies of kinds that came later: cash booked by hand, states of accounts, cancels looked at afterwards."""

from importlib import import_module
from typing import ClassVar

from django.db import migrations

first_policies = import_module("authorisation.migrations.0006_checker_guards").first_policies


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0018_role_terms")]

    operations: ClassVar = [migrations.RunPython(first_policies, migrations.RunPython.noop)]
