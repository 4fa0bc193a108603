"""The first policy of who decides about subscriptions, in houses that had their first policies before there were any."""

from importlib import import_module

from django.db import migrations

first_policies = import_module("authorisation.migrations.0006_checker_guards").first_policies


class Migration(migrations.Migration):
    dependencies = [("outbound", "0002_guards"), ("authorisation", "0006_checker_guards")]
    operations = [migrations.RunPython(first_policies, migrations.RunPython.noop)]
