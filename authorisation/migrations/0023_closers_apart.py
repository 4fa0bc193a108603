"""Who enters orders does not close the exceptions about them: the table of what does not mix, written anew."""

from typing import ClassVar

from django.db import migrations

from authorisation.domain.toxic import trigger_rows
from authorisation.guards import toxic_table


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0022_policy_of_start_of_day")]
    operations: ClassVar = [migrations.RunSQL(toxic_table(trigger_rows())[0], migrations.RunSQL.noop)]
