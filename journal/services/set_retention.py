"""Say how long a class of records is kept from now on. Called when a second person has said yes."""

from __future__ import annotations

from datetime import datetime

from journal.bulk import one_transaction
from journal.domain.chain import EventDraft
from journal.domain.retention import require_days
from journal.models import RetentionRule
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id


def set_retention(
    *, actor: str, on_behalf_of: str = "", at: datetime, record_class: str, kept_days: int, reason: str, asked_by: str
) -> None:
    """Raises Invalid RETENTION_UNKNOWN or RETENTION_INVALID."""
    require_days(record_class, kept_days)
    rule_id = new_id()
    draft = EventDraft(
        id=new_id(),
        stream=f"retention:{record_class}",
        kind="RetentionChanged",
        actor=actor,
        on_behalf_of=on_behalf_of,
        correlation_id=rule_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload={"kept_days": kept_days, "reason": reason, "asked_by": asked_by},
    )
    with one_transaction():
        RetentionRule.objects.create(
            id=rule_id,
            record_class=record_class,
            kept_days=kept_days,
            reason=reason,
            effective_from=at,
            decided_by=actor,
        )
        append_to_stream(drafts=[draft], at=at)
