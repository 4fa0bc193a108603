"""The first policies of breaks between what a venue lists as open and what is open with us: those of orders, for they are orders."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

from django.db import migrations

MINUTES, HOURS = 60, 3600
STARTED = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING_LATE = ("nothing", 24 * HOURS)
FIRST = {
    "missing_internal": ("block_instrument", 15 * MINUTES),
    "missing_external": ("allow_existing", 15 * MINUTES),
    "status": ("allow_existing", 30 * MINUTES),
    "quantity": ("allow_existing", 30 * MINUTES),
    "duplicate_suspect": ("block_instrument", 15 * MINUTES),
    "price": ("nothing", 4 * HOURS),
}
CATEGORIES = (
    "missing_internal", "missing_external", "status", "quantity", "price", "fee", "duplicate_suspect", "timing",
)  # fmt: skip


def first_policies(apps: Any, schema_editor: Any) -> None:
    """Version 1 of every category."""
    policy = apps.get_model("reconciliation", "BreakPolicy")
    policy.objects.bulk_create(
        policy(
            kind="open_orders", category=category, effect=effect, above=Decimal(0), escalate_after_s=late, version=1,
            event_id=uuid5(NAMESPACE_URL, f"oms:break-policy:open_orders:{category}"), recorded_at=STARTED,
        )
        for category in CATEGORIES
        for effect, late in (FIRST.get(category, NOTHING_LATE),)
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies: ClassVar = [("reconciliation", "0017_suspected_meanwhile")]

    operations: ClassVar = [migrations.RunPython(first_policies, migrations.RunPython.noop)]
