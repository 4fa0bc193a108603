"""Keep every record a matter may need. At once, by one person: to keep is safe, to let go takes two."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from journal.bulk import one_transaction
from journal.domain.chain import EventDraft
from journal.domain.retention import HoldTerms
from journal.models import LegalHold
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id


def place_hold(
    *,
    actor: str,
    on_behalf_of: str = "",
    at: datetime,
    matter: str,
    reason: str,
    subject_kind: str,
    subject: str,
    terms: HoldTerms,
) -> UUID:
    """The id of the new hold. The caller has asked whether the actor may."""
    hold = LegalHold(
        id=new_id(),
        matter=matter,
        reason=reason,
        subject_kind=subject_kind,
        subject=subject,
        symbols=sorted(terms.symbols),
        from_at=terms.from_at,
        to_at=terms.to_at,
        placed_by=actor,
        placed_at=at,
    )
    payload = {
        "matter": matter,
        "reason": reason,
        "subject_kind": subject_kind,
        "subject": subject,
        "symbols": hold.symbols,
        "from_at": terms.from_at.isoformat(),
        "to_at": terms.to_at.isoformat() if terms.to_at else None,
    }
    draft = EventDraft(
        id=new_id(),
        stream=hold.stream,
        kind="LegalHoldPlaced",
        actor=actor,
        on_behalf_of=on_behalf_of,
        correlation_id=hold.id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload=payload,
    )
    with one_transaction():
        hold.save(force_insert=True)
        append_to_stream(drafts=[draft], at=at)
    return hold.id
