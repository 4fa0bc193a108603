"""A breaker moves only along the table of ``risk.domain.breakers``, and none is forgotten."""

from django.db import migrations

from journal.triggers import never_deleted, state_pairs
from risk.domain.breakers import CLOSED, PAIRS


class Migration(migrations.Migration):
    dependencies = [("risk", "0012_breakers")]

    operations = [
        migrations.RunSQL(
            *state_pairs("risk_breaker", column="state", initial=[CLOSED], pairs=PAIRS, frozen=["kind", "subject"])
        ),
        migrations.RunSQL(*never_deleted("risk_breaker")),
    ]
