"""The proof of a stop as people read it: what is proven, what is not and why, and whom to phone about the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import NotFound
from kernel.numbers import plain
from operations.selectors.stops import StandingStop, get_stop
from orders.domain.stopping import PROVEN, Proof
from orders.selectors.stopping import ProofCounts, ProofRow, list_proof, list_proof_counts
from venues.models import FixSession

MOST_ROWS = 200
SESSION_DOWN = "session_down"
_NEEDS_THE_SESSION = (Proof.TO_SEND, Proof.WAITING, Proof.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Word:
    """How a state is shown: family (tint), glyph and words; each with the others, never alone."""

    family: str
    glyph: str
    text: str


PROOF_WORDS: dict[str, Word] = {
    Proof.CANCELED: Word("done", "pass", "Canceled, the venue says"),
    Proof.FILLED: Word("done", "filled", "Filled meanwhile"),
    Proof.OVER: Word("ended", "ended", "Over, the venue says"),
    Proof.NEVER_SENT: Word("ended", "ended", "Ended here, never sent"),
    Proof.TO_SEND: Word("waiting", "queued", "Cancel to be sent"),
    Proof.WAITING: Word("waiting", "waiting", "Asked, waiting"),
    SESSION_DOWN: Word("unknown", "unknown", "Session down"),
    Proof.UNKNOWN: Word("unknown", "unknown", "Not known, being asked"),
    Proof.REFUSED: Word("refused", "refused", "Cancel refused by the venue"),
    Proof.BY_PHONE: Word("unknown", "unknown", "Given by phone, cancel by phone"),
}


@dataclass(frozen=True, slots=True)
class VenueLine:
    """What one session group has not proven yet, and whom to phone about it."""

    group: str
    venue: str
    phone: str
    logged_on: bool
    unproven: int


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One order of the proof with the words of its state and the venue's number."""

    row: ProofRow
    state: str
    word: Word
    phone: str


@dataclass(frozen=True, slots=True)
class StopProof:
    """Everything about one stop. ``counts`` is None in the moment before orders has heard of it.

    ``states`` counts orders by state, a session that is down being one. ``hidden``: unproven orders that the reader may
    not see by name.
    """

    stop: StandingStop
    released_at: datetime | None
    counts: ProofCounts | None
    states: tuple[tuple[str, Word, int], ...]
    filled_more: int
    venues: tuple[VenueLine, ...]
    rows: tuple[ShownRow, ...]
    hidden: int
    last_sent_s: float | None
    last_outcome_s: float | None


@dataclass(frozen=True, slots=True)
class _Group:
    venue: str
    phone: str
    logged_on: bool


def get_stop_proof(*, actor: Principal, stop_id: UUID, rows: int = MOST_ROWS) -> StopProof:
    """The proof now. Raises NotFound STOP_UNKNOWN. Orders are named only to who may see them; figures are of all."""
    found = get_stop(stop_id)
    if found is None:
        raise NotFound("STOP_UNKNOWN", "There is no such stop.")
    stop, block = found
    groups = _groups()
    counts = list_proof_counts(sweep_ids=[stop_id]).get(stop_id)
    shown = _rows(list_proof(actor=actor, sweep_id=stop_id, limit=rows), groups)
    return _proof(stop, block.lifted_at, counts, groups, shown, cut=len(shown) == rows)


def list_stop_proofs(stops: Sequence[StandingStop]) -> list[StopProof]:
    """The proofs of standing stops in figures alone; the same number of statements for one as for many."""
    counts = list_proof_counts(sweep_ids=[stop.id for stop in stops])
    groups = _groups() if stops else {}
    return [_proof(stop, None, counts.get(stop.id), groups, (), cut=True) for stop in stops]


def _proof(
    stop: StandingStop,
    released_at: datetime | None,
    counts: ProofCounts | None,
    groups: Mapping[str, _Group],
    shown: tuple[ShownRow, ...],
    *,
    cut: bool,
) -> StopProof:
    named = sum(1 for one in shown if not one.row.is_proven)
    known = counts.reached - counts.proven if counts else 0
    return StopProof(
        stop=stop,
        released_at=released_at,
        counts=counts,
        states=_states(counts, groups),
        filled_more=sum(one.filled_more for one in counts.counts) if counts else 0,
        venues=_venues(counts, groups),
        rows=shown,
        hidden=0 if cut else max(known - named, 0),
        last_sent_s=_after(stop.imposed_at, counts.last_sent_at if counts else None),
        last_outcome_s=_after(stop.imposed_at, counts.last_outcome_at if counts else None),
    )


def _groups() -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for session in FixSession.objects.select_related("venue").order_by("name"):
        on = session.state == FixSession.State.LOGGED_ON
        known = groups.get(session.group)
        groups[session.group] = _Group(
            session.venue.name, session.venue.phone, on or (known is not None and known.logged_on)
        )
    return groups


def _state(proof: Proof, group: str, groups: Mapping[str, _Group]) -> str:
    if proof in _NEEDS_THE_SESSION and group in groups and not groups[group].logged_on:
        return SESSION_DOWN
    return proof.value


def _states(counts: ProofCounts | None, groups: Mapping[str, _Group]) -> tuple[tuple[str, Word, int], ...]:
    sums: dict[str, int] = {}
    for one in counts.counts if counts else ():
        state = _state(one.proof, one.session_group, groups)
        sums[state] = sums.get(state, 0) + one.orders
    return tuple((state, word, sums[state]) for state, word in PROOF_WORDS.items() if state in sums)


def _venues(counts: ProofCounts | None, groups: Mapping[str, _Group]) -> tuple[VenueLine, ...]:
    left: dict[str, int] = {}
    for one in counts.counts if counts else ():
        if one.proof not in PROVEN:
            left[one.session_group] = left.get(one.session_group, 0) + one.orders
    nowhere = _Group("", "", logged_on=False)
    return tuple(
        VenueLine(name, group.venue, group.phone, group.logged_on, number)
        for name, number in sorted(left.items())
        for group in (groups.get(name, nowhere),)
    )


def _rows(rows: list[ProofRow], groups: Mapping[str, _Group]) -> tuple[ShownRow, ...]:
    shown = []
    for row in rows:
        state = _state(row.proof, row.session_group, groups)
        phone = groups[row.session_group].phone if row.session_group in groups and not row.is_proven else ""
        shown.append(ShownRow(row, state, PROOF_WORDS[state], phone))
    return tuple(shown)


def _after(start: datetime, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if end is not None else None


def proof_as_json(proof: StopProof) -> dict[str, Any]:
    """The same for programs: command line and API."""
    counts = proof.counts
    return {
        "stop_id": str(proof.stop.id),
        "scope": proof.stop.scope,
        "name": proof.stop.name,
        "reason": proof.stop.reason,
        "by": proof.stop.imposed_by,
        "engaged_at": proof.stop.imposed_at.isoformat(),
        "released_at": proof.released_at.isoformat() if proof.released_at else None,
        "heard": counts is not None,
        "to_reach": counts.to_reach if counts else None,
        "orders": counts.reached if counts else None,
        "proven": counts.proven if counts else None,
        "unproven": counts.unproven if counts else None,
        "filled_after_the_press": proof.filled_more,
        "states": {state: number for state, _, number in proof.states},
        "press_to_last_cancel_sent_s": proof.last_sent_s,
        "press_to_last_outcome_s": proof.last_outcome_s,
        "venues": [
            {"group": v.group, "venue": v.venue, "phone": v.phone, "logged_on": v.logged_on, "unproven": v.unproven}
            for v in proof.venues
        ],
        "unproven_orders": [
            {
                "ref": one.row.ref,
                "account": one.row.account,
                "symbol": one.row.symbol,
                "leaves_qty": plain(one.row.leaves_qty),
                "session_group": one.row.session_group,
                "venue_order_id": one.row.venue_order_id,
                "state": one.state,
                "asked": one.row.asked,
                "cl_ord_id": one.row.cl_ord_id,
                "text": one.row.text,
                "phone": one.phone,
            }
            for one in proof.rows
            if not one.row.is_proven
        ],
        "unproven_orders_not_shown": proof.hidden,
    }
