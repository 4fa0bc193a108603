"""Notes written: numbers, facts, digests, events and the end of what they replace, in the transaction that holds the series.

The number's row is locked first and its new value is written last; killed in between, neither the number nor the note is
there. So numbers have no gap, and what is asked twice is found told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from allocations.domain import transitions as moves
from allocations.domain.note_regimes import Regime, due_at, missing, regime_on
from allocations.domain.notes import TEMPLATE, Heading, facts_of, note_number
from allocations.domain.noting import Step
from allocations.models import ContractNote, NoteSeries
from allocations.printing.render_note import facts_digest, render_note
from allocations.selectors.note_rows import Party, parties, regimes, trades
from allocations.selectors.noted import NoteKey
from authorisation.domain.principal import Principal
from journal.bulk import update_rows, write_rows
from journal.domain.chain import EventDraft
from journal.domain.records import Anomaly, Severity
from journal.selectors.anomalies import raised_among
from journal.services.append_to_stream import append_to_stream
from journal.services.set_anomaly import set_anomaly
from kernel.canonical import sha256
from kernel.crash_points import crash_point
from kernel.errors import Refused
from kernel.ids import new_id
from refdata.domain.market_clock import MarketClock
from refdata.models import Market
from refdata.selectors import get_market_clock

INCOMPLETE = "NOTE_INCOMPLETE"
_FIELDS = (
    "id", "series_id", "number", "account_id", "trade_date", "mic", "scope", "regime", "due_at", "replaces_id", "cancels_id",
    "facts", "facts_sha256", "pdf_sha256", "template_version", "state", "reason", "issued_at", "event_id",
)  # fmt: skip
THROUGH = ContractNote.allocations.through


@dataclass(frozen=True, slots=True)
class Order:
    """A note to write: of whom, which trades it tells of, and the note it ends (``step`` says how)."""

    key: NoteKey
    scope: str
    step: Step
    allocation_ids: tuple[UUID, ...]
    ends: ContractNote | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A market as notes need it."""

    name: str
    clock: MarketClock
    regime: Regime


@dataclass(frozen=True, slots=True)
class _Written:
    """A note with the trades it tells of, before either is in the database."""

    note: ContractNote
    told: tuple[UUID, ...]


def place_of(mic: str, day: date) -> Place:
    """Raises Refused NOTE_REGIME_MISSING where no line says which rules a note of that market follows."""
    market = Market.objects.get(pk=mic)
    regime = regime_on(regimes(), market.country, day)
    if regime is None:
        raise Refused(
            "NOTE_REGIME_MISSING",
            f"No rules are known for contract notes of trades on {mic} ({market.country}) on {day}.",
            {"mic": mic},
        )
    return Place(market.name, get_market_clock(mic), regime)


def deadline(place: Place, *, trade_date: date, settlement_date: date) -> datetime:
    """By when trades of a day there must be noted."""
    return due_at(
        place.regime, trade_date=trade_date, settlement_date=settlement_date, zone=place.clock.zone,
        holidays=place.clock.settlement_holidays,
    )  # fmt: skip


def write_notes(
    series: NoteSeries, orders: Sequence[Order], *, place: Place, actor: Principal, at: datetime
) -> list[ContractNote]:
    """Write the notes that say all they must, in order; of the others an anomaly says what they lack. The caller holds the series."""
    told = trades({one for order in orders for one in order.allocation_ids})
    people = parties({order.key.account_id for order in orders})
    known = raised_among([_lacking_key(order.key) for order in orders])
    notes: list[_Written] = []
    for order in orders:
        chosen = [told[one] for one in order.allocation_ids]
        number = series.last_number + len(notes) + 1
        facts = facts_of(_heading(order, people[order.key.account_id], place, series.code, number, at), chosen)
        lacking = () if order.step is Step.CANCEL else missing(place.regime.code, facts)
        if lacking or _lacking_key(order.key) in known:
            _tell_lacking(order.key, people[order.key.account_id].account, lacking, actor=actor, at=at)
        if not lacking:
            due = min(deadline(place, trade_date=one.trade_date, settlement_date=one.settlement_date) for one in chosen)
            notes.append(_Written(_note(order, series, number, facts, place, due, at), order.allocation_ids))
    _keep(notes, series, actor=actor, at=at)
    return [one.note for one in notes]


def _heading(order: Order, party: Party, place: Place, series: str, number: int, at: datetime) -> Heading:
    heading = Heading(
        number=note_number(series, number), regime=place.regime.code, firm=settings.FIRM_NAME, firm_lines=settings.FIRM_LINES,
        client=party.client, client_code=party.client_code, lei=party.lei, account=party.account,
        account_name=party.account_name, mic=order.key.mic, market=place.name, zone=place.clock.zone,
        trade_date=order.key.trade_date, issued_at=at, why=order.why,
    )  # fmt: skip
    if order.ends is None:
        return heading
    ended = note_number(order.ends.series_id, order.ends.number)
    return replace(heading, cancels=ended) if order.step is Step.CANCEL else replace(heading, replaces=ended)


def _note(
    order: Order,
    series: NoteSeries,
    number: int,
    facts: Mapping[str, Any],
    place: Place,
    due: datetime,
    at: datetime,
) -> ContractNote:
    cancels = order.ends if order.step is Step.CANCEL else None
    return ContractNote(
        id=new_id(), series=series, number=number, account_id=order.key.account_id, trade_date=order.key.trade_date,
        mic=order.key.mic, scope=order.scope, regime=place.regime.code, due_at=due, cancels=cancels,
        replaces=None if cancels else order.ends, facts=facts, facts_sha256=facts_digest(facts),
        pdf_sha256=sha256(render_note(facts, TEMPLATE)), template_version=TEMPLATE, reason=order.why, issued_at=at,
        event_id=new_id(),
    )  # fmt: skip


def _keep(notes: Sequence[_Written], series: NoteSeries, *, actor: Principal, at: datetime) -> None:
    if not notes:
        return
    ended = [one.note.replaces_id or one.note.cancels_id for one in notes]
    update_rows(
        ContractNote,
        [(note_id, moves.CANCELED, at, None) for note_id in ended if note_id],
        key=("id",),
        fields=("state", "ended_at", "stale_at"),
    )
    rows = [tuple(getattr(one.note, name) for name in _FIELDS) for one in notes]
    write_rows(ContractNote, rows, fields=_FIELDS)
    links = [(one.note.id, told) for one in notes for told in one.told]
    write_rows(THROUGH, links, fields=("contractnote_id", "allocation_id"))
    crash_point("notes.written")
    series.last_number += len(notes)
    series.save(update_fields=["last_number"])
    append_to_stream(drafts=[draft for one in notes for draft in _drafts(one, actor, at)], at=at)
    crash_point("notes.told")


def _drafts(written: _Written, actor: Principal, at: datetime) -> list[EventDraft]:
    note = written.note
    body: dict[str, Any] = {
        "note_id": str(note.id), "ref": note.ref, "account_id": str(note.account_id), "mic": note.mic, "scope": note.scope,
        "regime": note.regime, "trade_date": note.trade_date.isoformat(), "allocations": [str(one) for one in written.told],
        "template": note.template_version, "facts_sha256": note.facts_sha256.hex(), "pdf_sha256": note.pdf_sha256.hex(),
    }  # fmt: skip
    if note.reason:
        body["reason"] = note.reason
    ended = note.replaces or note.cancels
    if ended is not None:
        body["replaces" if note.replaces_id else "cancels"] = ended.ref
    drafts = [_draft("NoteIssued", note, note.event_id, body, actor, at)]
    if ended is not None:
        by = {"note_id": str(ended.id), "ref": ended.ref, "by": note.ref, "reason": note.reason}
        drafts.append(_draft("NoteCanceled", note, new_id(), by, actor, at))
    return drafts


def _draft(
    kind: str, note: ContractNote, event_id: UUID, body: dict[str, Any], actor: Principal, at: datetime
) -> EventDraft:
    return EventDraft(
        id=event_id, stream=f"notes:{note.series_id}", kind=kind, actor=actor.actor, on_behalf_of=actor.on_behalf_of,
        correlation_id=note.event_id, event_at=at, received_at=at, business_date=note.trade_date, payload=body,
    )  # fmt: skip


def _lacking_key(key: NoteKey) -> str:
    return f"note-incomplete:{key.account_id}:{key.mic}:{key.trade_date}"


def _tell_lacking(key: NoteKey, account: str, lacking: Sequence[str], *, actor: Principal, at: datetime) -> None:
    """A note that cannot be written is somebody's matter until it is."""
    sentence = (
        f"The note of {account} for {key.trade_date} on {key.mic} cannot be issued: it lacks {', '.join(lacking)}."
        if lacking
        else f"The note of {account} for {key.trade_date} on {key.mic} says all it must."
    )
    anomaly = Anomaly(
        kind=INCOMPLETE,
        severity=Severity.HIGH,
        subject_type="account",
        subject_id=str(key.account_id),
        sentence=sentence,
        dedupe_key=_lacking_key(key),
        evidence={"lacking": list(lacking), "mic": key.mic, "day": key.trade_date.isoformat()},
    )
    set_anomaly(anomaly=anomaly, wrong=bool(lacking), actor=actor.actor, at=at)
