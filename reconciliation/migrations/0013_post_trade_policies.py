"""The first policies of breaks between allocated trades or settlements and what counterparties and custodians say of them.

Money and stock are in our books already: nothing is stopped, somebody is told, before the next cut-off.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

from django.db import migrations

HOURS = 3600
STARTED = datetime(2026, 1, 1, tzinfo=UTC)
CATEGORIES = (
    "missing_internal", "missing_external", "status", "quantity", "price", "fee", "duplicate_suspect", "timing",
)  # fmt: skip
URGENT = {"missing_internal", "missing_external", "quantity", "price"}


def first_policies(apps: Any, schema_editor: Any) -> None:
    """Version 1 of every category: told late after two hours where it may fail to settle, after a day else."""
    policy = apps.get_model("reconciliation", "BreakPolicy")
    policy.objects.bulk_create(
        policy(
            kind=kind, category=category, effect="nothing", above=Decimal(0),
            escalate_after_s=(2 if category in URGENT else 24) * HOURS, version=1,
            event_id=uuid5(NAMESPACE_URL, f"oms:break-policy:{kind}:{category}"), recorded_at=STARTED,
        )
        for kind in ("allocations", "settlements")
        for category in CATEGORIES
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies: ClassVar = [("reconciliation", "0012_post_trade_kinds")]

    operations: ClassVar = [migrations.RunPython(first_policies, migrations.RunPython.noop)]
