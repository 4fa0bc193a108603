"""What the house does not hold, in words: so that nobody takes an empty answer for a proof that nothing happened."""

from __future__ import annotations

from datetime import datetime

from journal.bulk import raw_cursor
from refdata.models import PriceTick


def held_since() -> datetime | None:
    """When the oldest event was recorded."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT recorded_at FROM journal_event ORDER BY position LIMIT 1")
        row = cursor.fetchone()
    found: datetime | None = row[0] if row else None
    return found


def not_held() -> tuple[str, ...]:
    """Sentences, the most important first."""
    oldest_tick = PriceTick.objects.order_by("received_at").values_list("received_at", flat=True).first()
    ticks = (
        f"Price ticks before {oldest_tick:%Y-%m-%d %H:%M} UTC were purged" if oldest_tick else "No price tick is kept"
    )
    looks = (
        "Looks at pages are not kept, only searches, timelines, evidence and exports; refused requests without effect"
    )
    return (
        "Nothing from before the first event of this house.",
        f"{ticks}; the prices that decisions saw stand in their checks.",
        f"{looks} are in the security log, which is not searched here.",
        "Answers kept for idempotency are purged after 30 days; passwords and secrets are never stored in messages.",
    )
