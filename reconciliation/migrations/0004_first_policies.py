"""The first rules: what a break of each kind and category stops and when it is told as late; what may be written off.

They begin careful. What may be a trade or an order that one side does not know stops new risk where it is; what is only
money stops an account above a mark; the rest is somebody's matter and stops nothing.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

from django.db import migrations

MINUTES, HOURS = 60, 3600
STARTED = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING_LATE = ("nothing", 0, 24 * HOURS)
FIRST: dict[str, dict[str, tuple[str, int, int]]] = {
    "executions": {
        "missing_internal": ("block_instrument", 0, 15 * MINUTES),
        "missing_external": ("block_instrument", 0, 30 * MINUTES),
        "quantity": ("block_instrument", 0, 30 * MINUTES),
        "duplicate_suspect": ("block_instrument", 0, 15 * MINUTES),
        "status": ("block_instrument", 0, 30 * MINUTES),
        "price": ("nothing", 0, 4 * HOURS),
    },
    "orders": {
        "missing_internal": ("block_instrument", 0, 15 * MINUTES),
        "missing_external": ("allow_existing", 0, 15 * MINUTES),
        "status": ("allow_existing", 0, 30 * MINUTES),
        "quantity": ("allow_existing", 0, 30 * MINUTES),
        "duplicate_suspect": ("block_instrument", 0, 15 * MINUTES),
        "price": ("nothing", 0, 4 * HOURS),
    },
    "positions": {
        "missing_internal": ("block_instrument", 0, 4 * HOURS),
        "missing_external": ("block_instrument", 0, 4 * HOURS),
        "quantity": ("block_instrument", 0, 4 * HOURS),
    },
    "cash": {
        "missing_internal": ("block_account", 10_000, 4 * HOURS),
        "missing_external": ("block_account", 10_000, 4 * HOURS),
        "quantity": ("block_account", 10_000, 4 * HOURS),
    },
}
CATEGORIES = (
    "missing_internal", "missing_external", "status", "quantity", "price", "fee", "duplicate_suspect", "timing",
)  # fmt: skip
WRITE_OFF = {"GBP": 25, "EUR": 25, "USD": 25, "CHF": 25}


def first_rules(apps: Any, schema_editor: Any) -> None:
    """Version 1 of every policy, and of the marks up to which money may be written off."""
    policy, tolerance = (apps.get_model("reconciliation", name) for name in ("BreakPolicy", "Tolerance"))
    policies, marks = [], []
    for kind, own in FIRST.items():
        for category in CATEGORIES:
            effect, above, late = own.get(category, NOTHING_LATE)
            policies.append(
                policy(
                    kind=kind, category=category, effect=effect, above=Decimal(above), escalate_after_s=late, version=1,
                    event_id=uuid5(NAMESPACE_URL, f"oms:break-policy:{kind}:{category}"), recorded_at=STARTED,
                )
            )  # fmt: skip
    for kind in ("cash", "executions"):
        for currency, amount in WRITE_OFF.items():
            marks.append(
                tolerance(
                    kind=kind, field="write_off", currency=currency, amount=Decimal(amount), version=1,
                    event_id=uuid5(NAMESPACE_URL, f"oms:write-off:{kind}:{currency}"), recorded_at=STARTED,
                )
            )  # fmt: skip
    policy.objects.bulk_create(policies)
    tolerance.objects.bulk_create(marks)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("reconciliation", "0003_what_a_break_stops")]

    operations: ClassVar = [migrations.RunPython(first_rules, migrations.RunPython.noop)]
