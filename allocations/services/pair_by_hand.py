"""A person says that a record of the counterparty is about this confirmation. What differs shows then; nothing is agreed by it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from allocations.models import CounterpartyRecord
from allocations.permissions import require_work
from allocations.selectors.confirmations import unpaired_records
from allocations.services._acting import Acted, hold, once, require_reason
from allocations.services.match_confirmations import match_confirmations
from authorisation.domain.principal import Principal
from kernel.errors import Conflict, NotFound


def pair_by_hand(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    route: str,
    record_id: UUID,
    confirmation_id: UUID,
    reason: str,
) -> Acted:
    """Pair them, and compare.

    Raises NotPermitted RIGHT_MISSING, NotFound (CONFIRMATION_UNKNOWN, RECORD_UNKNOWN), Invalid REASON_INVALID, Conflict
    (COUNTERPARTY_DIFFERS, CONFIRMATION_TAKEN).
    """
    require_work(actor)
    why = require_reason(reason)

    def act() -> Acted:
        one = hold(actor, [confirmation_id])[0]
        record = unpaired_records(actor).filter(pk=record_id).first()
        if record is None:
            raise NotFound("RECORD_UNKNOWN", "There is no unpaired record of that name.")
        if record.counterparty != one.row.counterparty:
            raise Conflict("COUNTERPARTY_DIFFERS", f"{one.row.ref} is confirmed with {one.row.counterparty}.")
        paired = CounterpartyRecord.objects.filter(
            confirmation=one.row, kind=record.kind, state=CounterpartyRecord.State.PAIRED
        ).first()
        if paired is not None:
            raise Conflict("CONFIRMATION_TAKEN", f"{one.row.ref} is paired with {paired.their_ref} already.")
        record.state, record.confirmation, record.by_hand = CounterpartyRecord.State.PAIRED, one.row, True
        record.why = f"{actor.username} paired it: {why}"
        record.save(update_fields=["state", "confirmation", "by_hand", "why"])
        match_confirmations(
            counterparty=record.counterparty, record_ids=[record.id], confirmation_ids=[one.row.id], at=at
        )
        return Acted(f"{record.their_ref} is about {one.row.ref}.")

    content = {"record": str(record_id), "confirmation": str(confirmation_id), "reason": why}
    return once(actor=actor, at=at, route=route, key=idempotency_key, content=content, act=act)
