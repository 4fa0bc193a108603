"""A balance is of an account that exists, now and later: proven once a statement, so that no key has to ask once a row."""

from django.db import migrations

from journal.triggers import refers_at_once


class Migration(migrations.Migration):
    dependencies = [("accounts", "0023_bookings_by_allocation")]

    operations = [
        migrations.RunSQL(*refers_at_once(f"accounts_{table}", column="account_id", to="accounts_tradingaccount"))
        for table in ("cashbalance", "holding")
    ]
