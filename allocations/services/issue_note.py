"""A note of one trade on demand, before or beside that of the day: for a client who wants each trade told apart."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from allocations.domain import transitions as moves
from allocations.domain.noting import Step
from allocations.locks import lock_series
from allocations.models import Allocation, ContractNote
from allocations.permissions import require_work
from allocations.selectors.noted import NoteKey, standing_of
from allocations.selectors.seeing import visible_allocations
from allocations.services._issuing import Order, place_of, write_notes
from authorisation.domain.principal import Principal
from kernel.errors import Conflict, NotFound, Refused

TRADE = ContractNote.Scope.TRADE.value


def issue_note(*, actor: Principal, at: datetime, allocation_ref: str) -> UUID:
    """Returns the note. Raises NotFound TRADE_UNKNOWN, Refused NOTE_NOT_DUE (no client's standing trade), Conflict
    NOTE_THERE (a live note tells of it), Refused NOTE_INCOMPLETE."""
    require_work(actor)
    allocation = _find(actor, allocation_ref)
    key = NoteKey(allocation.account_id, allocation.trade_date, allocation.block.listing.market_id)
    place = place_of(key.mic, key.trade_date)
    with transaction.atomic():
        series = lock_series(place.regime.code)
        noted = ContractNote.objects.filter(allocations=allocation, state=moves.ISSUED, cancels=None).first()
        if noted is not None:
            raise Conflict("NOTE_THERE", f"{allocation.ref} is on note {noted.ref}.", {"note": noted.ref})
        if allocation.id not in standing_of([key])[key]:
            raise Refused(
                "NOTE_NOT_DUE", f"{allocation.ref} is no standing trade of a client: there is nothing to note."
            )
        order = Order(key, TRADE, Step.ISSUE, (allocation.id,))
        written = write_notes(series, [order], place=place, actor=actor, at=at)
    if not written:
        raise Refused("NOTE_INCOMPLETE", f"The note of {allocation.ref} lacks what it must say; see the exceptions.")
    return written[0].id


def _find(actor: Principal, ref: str) -> Allocation:
    head, _, number = ref.strip().upper().partition("-")
    found = None
    if head == "A" and number.isascii() and number.isdigit() and len(number) < 19:
        found = visible_allocations(actor).select_related("block__listing").filter(number=int(number)).first()
    if found is None:
        raise NotFound("TRADE_UNKNOWN", f"There is no trade {ref[:24]!r} that you may see.")
    return found
