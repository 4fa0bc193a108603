"""What a day was closed with never changes: it is what the next morning is compared with."""

from django.db import migrations

from journal.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("accounts", "0018_closed_days")]

    operations = [migrations.RunSQL(*append_only(f"accounts_{table}")) for table in ("closedday", "closingbalance")]
