"""Issue the notes of accounts for a day and market: a first one, another in the place of one, or a cancellation.

What each account's note should tell is compared with what it tells, under the lock of the numbering, so that asking again changes
nothing. In slices, each a transaction of its own: killed between two, the rest is found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from accounts.models import TradingAccount
from allocations.domain import transitions as moves
from allocations.domain.noting import Step, next_step
from allocations.locks import lock_notes, lock_series
from allocations.models import ContractNote
from allocations.permissions import require_work
from allocations.selectors.noted import NoteKey, list_unnoted, standing_of, told_by
from allocations.services._issuing import Order, place_of, write_notes
from authorisation.domain.principal import Principal
from orders.permissions import visible_groups

SLICE = 100
DAY = ContractNote.Scope.DAY.value
TRADES_MOVED = "Trades of the day were added, changed or undone since."


@dataclass(frozen=True, slots=True)
class Issued:
    """How many notes were written (cancellations too), and for how many accounts none could be."""

    written: int
    incomplete: int


def issue_notes(*, actor: Principal, at: datetime, mic: str, day: date, most: int = 100_000) -> Issued:
    """All accounts that the actor may see with trades of that day and market and no note of them. Raises Refused
    NOTE_REGIME_MISSING, NotPermitted RIGHT_MISSING."""
    require_work(actor)
    found = [one.key for one in list_unnoted(since=day, most=most, mic=mic, day=day)]
    return issue_for(seen_by(actor, found), actor=actor, at=at)


def seen_by(actor: Principal, keys: Sequence[NoteKey]) -> list[NoteKey]:
    """Those whose account the actor may see."""
    if actor.is_process or not keys:
        return list(keys)
    from_groups = set(
        TradingAccount.objects.filter(
            pk__in={key.account_id for key in keys}, group_id__in=visible_groups(actor)
        ).values_list("pk", flat=True)
    )
    return [key for key in keys if key.account_id in from_groups]


def issue_for(keys: Sequence[NoteKey], *, actor: Principal, at: datetime, why: str = "") -> Issued:
    """The same for accounts that are known already; one market and day after the other."""
    written = incomplete = 0
    for place in sorted({(key.mic, key.trade_date) for key in keys}, key=lambda one: (one[1], one[0])):
        chosen = [key for key in dict.fromkeys(keys) if (key.mic, key.trade_date) == place]
        for start in range(0, len(chosen), SLICE):
            with transaction.atomic():
                slice_ = renew(chosen[start : start + SLICE], actor=actor, at=at, why=why)
            written, incomplete = written + slice_.written, incomplete + slice_.incomplete
    return Issued(written, incomplete)


def renew(keys: Sequence[NoteKey], *, actor: Principal, at: datetime, why: str = "", again: bool = False) -> Issued:
    """One slice, inside the caller's transaction; all keys are of one market and day."""
    place = place_of(keys[0].mic, keys[0].trade_date)
    series = lock_series(place.regime.code)
    live = _live(keys)
    told, stands = told_by({note.id for note in live.values()}), standing_of(keys)
    orders, fresh = [], []
    for key in keys:
        note = live.get(key)
        step = next_step(told=told.get(note.id, frozenset()) if note else None, stands=stands[key], again=again)
        if step is Step.KEEP:
            fresh += [note.id] if note and note.stale_at else []
            continue
        tells = tuple(stands[key]) or tuple(sorted(told[note.id])) if note else tuple(stands[key])
        orders.append(Order(key, DAY, step, tells, note, (why or TRADES_MOVED) if note else ""))
    ContractNote.objects.filter(pk__in=fresh).update(stale_at=None)
    written = write_notes(series, orders, place=place, actor=actor, at=at)
    return Issued(len(written), len(orders) - len(written))


def _live(keys: Sequence[NoteKey]) -> dict[NoteKey, ContractNote]:
    rows = ContractNote.objects.filter(
        account_id__in={key.account_id for key in keys}, trade_date=keys[0].trade_date, mic=keys[0].mic,
        state=moves.ISSUED, scope=DAY, cancels=None,
    ).values_list("id", flat=True)  # fmt: skip
    locked = lock_notes(list(rows)).values()
    return {NoteKey(note.account_id, note.trade_date, note.mic): note for note in locked if note.state == moves.ISSUED}
