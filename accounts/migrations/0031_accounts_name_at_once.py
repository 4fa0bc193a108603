"""An account is of a client and in a group that exist, now and later: proven once a statement, so that no key has to ask once a row."""

from django.db import migrations

from journal.triggers import refers_at_once


class Migration(migrations.Migration):
    dependencies = [("accounts", "0030_claims")]

    operations = [
        migrations.RunSQL(*refers_at_once("accounts_tradingaccount", column=column, to=to, may_change=True))
        for column, to in (("client_id", "accounts_client"), ("group_id", "accounts_accountgroup"))
    ]
