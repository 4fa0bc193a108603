"""Who trades neither decides about allocations nor keeps what follows them: the table of what does not mix, written anew."""

from typing import ClassVar

from django.db import migrations

from authorisation.domain.toxic import trigger_rows
from authorisation.guards import toxic_table


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0024_reconciliation_policies")]

    operations: ClassVar = [migrations.RunSQL(toxic_table(trigger_rows())[0], migrations.RunSQL.noop)]
