"""Reads of confirmations by people: whose exist for whom, the list, one whole, what waits unpaired."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet

from allocations.domain import transitions as moves
from allocations.domain.matching import EXACT, SIDES, TOLERATED, WORDS, Says
from allocations.models import Confirmation, CounterpartyRecord
from allocations.permissions import DECIDE_POST_TRADE, WORK_POST_TRADE
from allocations.selectors.affirming import Sight
from allocations.selectors.confirming import Standing, standings, theirs_of
from allocations.selectors.seeing import allocation_sight
from authorisation.domain.principal import Principal
from journal.models import Event
from kernel.errors import NotFound
from kernel.numbers import plain
from kernel.post_trade import MessageKind
from orders.permissions import visible_desks, visible_groups

MOST = 200
OPEN, LATE, ALL = "open", "late", "all"
VIEWS = (OPEN, moves.MISMATCHED, moves.MATCHED, moves.SENT, moves.WAITING, moves.REJECTED, LATE, moves.AFFIRMED, ALL)


@dataclass(frozen=True, slots=True)
class ConfirmationFilter:
    """``view`` is a state, or open, late, all; ``account`` and ``block`` as people call them."""

    view: str = OPEN
    counterparty: str = ""
    mic: str = ""
    day: date | None = None
    account: str = ""
    block: str = ""


def visible_confirmations(actor: Principal) -> QuerySet[Confirmation]:
    """Those that exist for the actor: the block's desk and the account's group must both be granted."""
    return Confirmation.objects.filter(allocation_sight(actor, before="allocation__"))


def sight_of(actor: Principal) -> Sight:
    """The same for sums."""
    return Sight() if actor.is_process else Sight(visible_desks(actor), visible_groups(actor))


def list_confirmations(actor: Principal, wanted: ConfirmationFilter, *, at: datetime) -> list[Standing]:
    """The most urgent first: by cut-off, mismatched before others, then by age; at most ``MOST``."""
    rows = visible_confirmations(actor).filter(_view(wanted.view, at))
    if wanted.counterparty:
        rows = rows.filter(counterparty=wanted.counterparty)
    if wanted.mic:
        rows = rows.filter(allocation__block__listing__market_id=wanted.mic)
    if wanted.day is not None:
        rows = rows.filter(allocation__trade_date=wanted.day)
    if wanted.account:
        rows = rows.filter(allocation__account__code__iexact=wanted.account)
    if wanted.block:
        number = wanted.block.upper().removeprefix("B-")
        rows = rows.filter(allocation__block__number=int(number)) if _is_number(number) else rows.none()
    if wanted.view in (moves.AFFIRMED, ALL):
        return standings(rows.order_by("-created_at", "-id")[:MOST])
    return standings(rows.order_by(F("affirm_by").asc(nulls_last=True), "created_at", "id")[:MOST])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _view(view: str, at: datetime) -> Q:
    ended = Q(state__in=(moves.AFFIRMED, moves.CANCELED))
    if view == OPEN:
        return ~ended
    if view == LATE:
        return ~ended & Q(affirm_by__lte=at)
    return Q() if view == ALL else Q(state=view)


def count_confirmations(actor: Principal, *, at: datetime) -> dict[str, int]:
    """How many there are by state, and open and late in all: one statement."""
    states = visible_confirmations(actor).exclude(state=moves.CANCELED).values("state")
    rows = states.annotate(n=Count("id"), late=Count("id", filter=_view(LATE, at))).order_by("state")
    found = {row["state"]: row["n"] for row in rows}
    late = sum(row["late"] for row in rows)
    return found | {OPEN: sum(found.values()) - found.get(moves.AFFIRMED, 0), LATE: late}


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One field as both say it; ``difference`` and ``allowed`` where it differs beyond that."""

    name: str
    ours: str
    theirs: str
    difference: str = ""
    allowed: str = ""
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a confirmation."""

    at: datetime
    actor: str
    word: str
    why: str


@dataclass(frozen=True, slots=True)
class ConfirmationDetail:
    """One whole: what both say, everything they said of it, and what became of it."""

    standing: Standing
    fields: list[FieldLine]
    records: list[CounterpartyRecord]
    history: list[Happened]


def get_confirmation(actor: Principal, ref: str) -> Standing:
    """The confirmation people call ``ref``; raises NotFound CONFIRMATION_UNKNOWN where the actor may not know of it."""
    row = visible_confirmations(actor).filter(ref=ref.strip().upper()).first()
    if row is None:
        raise NotFound("CONFIRMATION_UNKNOWN", "There is no such confirmation that you may see.", {"ref": ref[:32]})
    return standings([row])[0]


def get_confirmation_by_id(actor: Principal, confirmation_id: UUID) -> Standing:
    """As :func:`get_confirmation`, by id."""
    row = visible_confirmations(actor).filter(pk=confirmation_id).first()
    if row is None:
        raise NotFound("CONFIRMATION_UNKNOWN", "There is no such confirmation that you may see.")
    return standings([row])[0]


def get_detail(standing: Standing) -> ConfirmationDetail:
    """What its page shows."""
    row = standing.row
    records = list(CounterpartyRecord.objects.filter(confirmation=row).order_by("-received_at", "-id")[:MOST])
    speaking = [
        record
        for record in records
        if record.state == CounterpartyRecord.State.PAIRED
        and record.kind in (MessageKind.CONFIRMATION.value, MessageKind.ALLOCATION_INSTRUCTION.value)
    ]
    theirs = theirs_of(speaking[0]).says if speaking else None
    return ConfirmationDetail(standing, _fields(standing, theirs), records, _history(standing))


def _fields(standing: Standing, theirs: Says | None) -> list[FieldLine]:
    ours, found = standing.line.says, {one[0]: one for one in standing.row.differences}
    lines = []
    for name in (*EXACT, *TOLERATED):
        said = getattr(theirs, name) if theirs is not None else None
        mine = getattr(ours, name)
        if name == "side":
            mine, said = SIDES.get(mine, mine), SIDES.get(said or "", said)
        away = found.pop(name, None)
        if away is not None:
            lines.append(FieldLine(WORDS[name], away[1], away[2], away[3], away[4], differs=True))
        else:
            lines.append(FieldLine(WORDS[name], _text(mine), _text(said)))
    return lines + [
        FieldLine(WORDS.get(one[0], one[0]), one[1], one[2], one[3], one[4], differs=True) for one in found.values()
    ]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, str) else plain(value)


def _history(standing: Standing) -> list[Happened]:
    mine = str(standing.row.id)
    events = Event.objects.filter(
        stream=f"confirmations:{standing.line.block_id}", payload__confirmations__contains=[{"id": mine}]
    ).order_by("-seq")[:MOST]
    found = []
    for event in events:
        said = next(line for line in event.payload["confirmations"] if line["id"] == mine)
        actor = event.on_behalf_of or event.actor
        found.append(Happened(event.recorded_at, actor, event.kind.removeprefix("Confirmations"), said.get("why", "")))
    return found


def sees_unpaired(actor: Principal) -> bool:
    """Whether records of nobody we know exist for the actor: they belong to no desk, and to those who work on them."""
    return actor.is_process or not actor.rights.isdisjoint((WORK_POST_TRADE, DECIDE_POST_TRADE))


def unpaired_records(actor: Principal) -> QuerySet[CounterpartyRecord]:
    """What counterparties said that is about nothing of ours, newest first."""
    rows = CounterpartyRecord.objects.filter(state=CounterpartyRecord.State.UNPAIRED).order_by("-received_at", "-id")
    return rows if sees_unpaired(actor) else rows.none()
