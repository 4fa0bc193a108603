"""The first policy of who decides about opening a gate of the start of day."""

from importlib import import_module
from typing import ClassVar

from django.db import migrations

first_policies = import_module("authorisation.migrations.0006_checker_guards").first_policies


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0026_post_trade_policies")]

    operations: ClassVar = [migrations.RunPython(first_policies, migrations.RunPython.noop)]
