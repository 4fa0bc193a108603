"""Contract notes for those who may see them: whoever sees the account's group and the desk of every trade on the note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import TradingAccount
from allocations.models import ContractNote
from allocations.selectors.noted import list_unnoted
from authorisation.domain.principal import Principal
from kernel.errors import NotFound
from orders.permissions import visible_desks, visible_groups

MOST = 100
MOST_WAITING = 5_000
LOOK_BACK = timedelta(days=14)


class WaitingDay(NamedTuple):
    """Accounts with trades of a day on a market and no note; of them ``waits`` have a block that may still change them."""

    day: date
    mic: str
    accounts: int
    waits: int


@dataclass(frozen=True, slots=True)
class NoteFilter:
    """What a list is narrowed to; empty is everything."""

    day: date | None = None
    account: str = ""
    state: str = ""
    before: tuple[str, int] | None = None


def visible_notes(actor: Principal) -> QuerySet[ContractNote]:
    """Notes that exist for the actor. Our own processes see all."""
    notes = ContractNote.objects.select_related("account", "replaces", "cancels")
    if actor.is_process:
        return notes
    through = ContractNote.allocations.through.objects.filter(contractnote_id=OuterRef("pk"))
    hidden = through.exclude(allocation__block__desk_id__in=visible_desks(actor))
    accounts = TradingAccount.objects.filter(group_id__in=visible_groups(actor)).values("id")
    return notes.filter(~Exists(hidden), account_id__in=accounts)


def list_notes(actor: Principal, wanted: NoteFilter, *, most: int = MOST) -> list[ContractNote]:
    """Newest first."""
    notes = visible_notes(actor).order_by("-issued_at", "-series", "-number")
    if wanted.day:
        notes = notes.filter(trade_date=wanted.day)
    if wanted.account:
        notes = notes.filter(account__code__icontains=wanted.account)
    if wanted.state:
        notes = notes.filter(state=wanted.state)
    return list(notes.defer("facts")[:most])


def get_note(actor: Principal, note_id: UUID) -> ContractNote:
    """One note; raises NotFound NOTE_UNKNOWN where the actor may not know of it."""
    note = visible_notes(actor).filter(pk=note_id).first()
    if note is None:
        raise NotFound("NOTE_UNKNOWN", "There is no such contract note that you may see.")
    return note


def history_of(actor: Principal, note: ContractNote) -> Sequence[ContractNote]:
    """The note with all that it replaced and all that took its place, oldest first; at most fifty."""
    chain = [note]
    while len(chain) < 50 and (before := chain[0].replaces or chain[0].cancels) is not None:
        chain.insert(0, get_note(actor, before.id))
    while len(chain) < 50:
        after = visible_notes(actor).filter(replaces=chain[-1]) | visible_notes(actor).filter(cancels=chain[-1])
        found = after.first()
        if found is None:
            return chain
        chain.append(found)
    return chain


def list_waiting(actor: Principal, *, at: datetime) -> list[WaitingDay]:
    """Days and markets with accounts that have no note yet, of those the actor may see, oldest first; the last two weeks."""
    found = list_unnoted(since=(at - LOOK_BACK).date(), most=MOST_WAITING)
    if not actor.is_process:
        groups = visible_groups(actor)
        seen = set(
            TradingAccount.objects.filter(
                pk__in={one.key.account_id for one in found}, group_id__in=groups
            ).values_list("pk", flat=True)
        )
        found = [one for one in found if one.key.account_id in seen]
    days: dict[tuple[date, str], list[bool]] = {}
    for one in found:
        days.setdefault((one.key.trade_date, one.key.mic), []).append(one.waits)
    return [WaitingDay(day, mic, len(waits), sum(waits)) for (day, mic), waits in sorted(days.items())]
