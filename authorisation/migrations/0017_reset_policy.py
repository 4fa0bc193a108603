"""The first policy of the reset of a sign-in, in a house that has its first policies already."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import migrations

from authorisation.domain.policy import CLAIM_S, POLICIES

KIND = "sign_in_reset"
SINCE = datetime(2000, 1, 1, tzinfo=UTC)


def first_policy(apps: Any, schema_editor: Any) -> None:
    """As every kind has one."""
    policy_model, first = apps.get_model("authorisation", "ApprovalPolicy"), POLICIES[KIND]
    if not policy_model.objects.filter(kind=KIND).exists():
        policy_model.objects.create(
            kind=KIND,
            version=1,
            checkers=first.checkers,
            right=first.right,
            patience_s=int(first.patience.total_seconds()),
            claim_s=CLAIM_S,
            stops_clock=False,
            effective_from=SINCE,
        )


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0016_passwords_and_links")]

    operations: ClassVar = [migrations.RunPython(first_policy, migrations.RunPython.noop)]
