"""Who trades neither works nor decides breaks: the table of rights that do not mix, made again."""

from typing import ClassVar

from django.db import migrations

from authorisation.domain.toxic import trigger_rows
from authorisation.guards import toxic_table


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0020_request_group")]

    operations: ClassVar = [migrations.RunSQL(toxic_table(trigger_rows())[0], migrations.RunSQL.noop)]
