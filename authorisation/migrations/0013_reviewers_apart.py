"""Who administers people does not review access: the table of rights that do not mix, made again."""

from typing import ClassVar

from django.db import migrations

from authorisation.domain.toxic import trigger_rows
from authorisation.guards import toxic_table


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0012_access_review_guards")]

    operations: ClassVar = [migrations.RunSQL(toxic_table(trigger_rows())[0], migrations.RunSQL.noop)]
