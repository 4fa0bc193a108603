"""Another note in the place of one, asked for by a person with a reason, or because the one trade it told of was replaced or undone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from allocations.domain import transitions as moves
from allocations.domain.noting import Step
from allocations.locks import lock_notes, lock_series
from allocations.models import ContractNote
from allocations.permissions import require_work
from allocations.selectors.noted import NoteKey, successor_of, told_by
from allocations.selectors.notes import get_note
from allocations.services._issuing import Order, place_of, write_notes
from allocations.services.issue_notes import renew
from authorisation.domain.principal import Principal
from kernel.errors import Conflict, Invalid, Refused

MOST_REASON = 500


def reissue_note(*, actor: Principal, at: datetime, note_id: UUID, reason: str) -> None:
    """Raises NotFound NOTE_UNKNOWN, Invalid REASON_MISSING, Conflict NOTE_NOT_LIVE, Refused NOTE_INCOMPLETE."""
    require_work(actor)
    why = " ".join(reason.split())
    if not why or len(why) > MOST_REASON:
        raise Invalid(
            "REASON_MISSING", "Say why, in at most 500 characters: the client reads it.", {"reason": ["Say why."]}
        )
    note = get_note(actor, note_id)
    with transaction.atomic():
        if not renew_one(note.id, actor=actor, at=at, why=why, again=True):
            raise Refused(
                "NOTE_INCOMPLETE", f"The note that replaces {note.ref} lacks what it must say; see the exceptions."
            )


def renew_one(note_id: UUID, *, actor: Principal, at: datetime, why: str, again: bool) -> bool:
    """One note by its own scope, inside the caller's transaction. False when the new one lacks what it must say."""
    note = ContractNote.objects.get(pk=note_id)
    place = place_of(note.mic, note.trade_date)
    series = lock_series(place.regime.code)
    note = lock_notes([note_id])[note_id]
    if note.state != moves.ISSUED or note.cancels_id is not None:
        raise Conflict("NOTE_NOT_LIVE", f"{note.ref} is no note that stands; open the one in its place.")
    key = NoteKey(note.account_id, note.trade_date, note.mic)
    if note.scope == ContractNote.Scope.DAY:
        return not renew([key], actor=actor, at=at, why=why, again=again).incomplete
    (told,) = told_by([note_id])[note_id]
    stands = successor_of(told)
    if stands == told and not again:
        ContractNote.objects.filter(pk=note_id).update(stale_at=None)
        return True
    step = Step.CANCEL if stands is None else Step.REPLACE
    order = Order(key, note.scope, step, (stands or told,), note, why)
    return bool(write_notes(series, [order], place=place, actor=actor, at=at))
