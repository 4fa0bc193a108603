"""Pair what a counterparty says with our confirmations, compare, and move both: the one place where matching happens.

Whatever asks (a message, a file, a booked block, a person who paired by hand) names what is new; everything that may pair with it is
looked at again, so the order in which things came decides nothing. What is affirmed stays affirmed: a counterparty that then says
something else starts a dispute.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT

from allocations.domain import transitions as moves
from allocations.domain.confirm_messages import answer
from allocations.domain.matching import (
    UNSAID,
    Difference,
    Theirs,
    Tolerance,
    affirms_itself,
    compare,
    live,
    pair,
    sentence_of,
)
from allocations.domain.terms import BROKER, Terms
from allocations.models import Confirmation, CounterpartyRecord
from allocations.selectors.confirming import Standing, standings, terms_of, theirs_of, tolerances_of
from allocations.services._confirm_watch import dispute, watch_blocks, watch_unpaired
from allocations.services._confirming import ACTOR, Step, carry_out, release
from journal.bulk import update_rows
from kernel.post_trade import AckStatus, MessageKind, TransType

State = CounterpartyRecord.State
PATIENCE = timedelta(days=10)
MOST_UNPAIRED = 5000
OUR_NAME = re.compile(r"A-[0-9]{1,18}|C-[0-9]{1,18}-[0-9]{1,9}")
DECIDES = {BROKER: MessageKind.ALLOCATION_INSTRUCTION.value}
"""Whose record makes a match: the confirmation they send us; where we are the broker, the client's instruction."""
_WITHDRAWN = (UNSAID, "confirmed", "withdrawn by them", "", "")
_UNCLEAR = (UNSAID, "confirmed", "no record of theirs is about it alone", "", "")


@dataclass(slots=True)
class _Scene:
    """Everything that may pair with what is new."""

    counterparty: str
    terms: Terms
    tolerances: Sequence[Tolerance]
    records: dict[UUID, CounterpartyRecord]
    said: dict[UUID, Theirs]
    standing: dict[UUID, Standing]
    ended: frozenset[str]
    paired: dict[UUID, list[Theirs]] = field(default_factory=lambda: defaultdict(list))


def match_confirmations(
    *, counterparty: str, at: datetime, record_ids: Collection[UUID] = (), confirmation_ids: Collection[UUID] = ()
) -> None:
    """Look again at what these records and confirmations may pair with. The caller holds the counterparty's lock."""
    scene = _load(counterparty, record_ids, confirmation_ids, at)
    if not scene.records:
        return
    _pair(scene)
    _move(scene, at)
    watch_blocks({standing.line.block_id for standing in scene.standing.values()}, at=at)
    watch_unpaired(counterparty, at=at)


def _load(counterparty: str, record_ids: Collection[UUID], confirmation_ids: Collection[UUID], at: datetime) -> _Scene:
    """The new ones, the unpaired of the last days, every open confirmation one of them may mean, and its records."""
    ours = CounterpartyRecord.objects.filter(counterparty=counterparty)
    waiting = ours.filter(state=State.UNPAIRED, received_at__gte=at - PATIENCE).order_by("-received_at", "-id")
    records = {row.id: row for row in (*waiting[:MOST_UNPAIRED], *ours.filter(id__in=record_ids))}
    said = {pk: theirs_of(row) for pk, row in records.items()}
    wanted = _wanted(said.values()) | Q(id__in=list(confirmation_ids)) | Q(records__in=_siblings(ours, said.values()))
    rows = Confirmation.objects.filter(counterparty=counterparty).filter(wanted).distinct().order_by("id")
    found = standings(rows)
    standing = {one.row.id: one for one in found if one.row.state != moves.CANCELED}
    gone = [one for one in found if one.row.state == moves.CANCELED]
    kept_names = {ref for one in standing.values() for ref in one.ours.refs}
    ended = frozenset(ref for one in gone for ref in one.ours.refs) - kept_names
    for row in ours.filter(confirmation_id__in=standing).exclude(id__in=records):
        records[row.id] = row
        said[row.id] = theirs_of(row)
    _load_enders(ours, records, said)
    return _Scene(
        counterparty,
        terms_of([counterparty])[counterparty],
        tolerances_of(counterparty),
        records,
        said,
        standing,
        ended,
    )


def _load_enders(
    ours: QuerySet[CounterpartyRecord], records: dict[UUID, CounterpartyRecord], said: dict[UUID, Theirs]
) -> None:
    """What replaces or cancels one of these, whenever it came, and what that in its turn: without it the ended would stand again."""
    names = {one.ref for one in said.values()}
    while names:
        found = ours.exclude(trans_type=TransType.NEW.value).annotate(of=KT("says__ref_of")).filter(of__in=names)
        more = {row.id: row for row in found.exclude(id__in=records)}
        records |= more
        said |= {pk: theirs_of(row) for pk, row in more.items()}
        names = {said[pk].ref for pk in more}


def _wanted(said: Collection[Theirs]) -> Q:
    """The confirmations that records may mean: by name, else of the same day and side."""
    names = {name for one in said for name in one.names}
    numbers = [int(name[2:]) for name in names if OUR_NAME.fullmatch(name) and name.startswith("A-")]
    wanted = Q(ref__in=names) | Q(allocation__number__in=numbers)
    days: dict[object, set[str]] = defaultdict(set)
    for one in said:
        if one.says.trade_date is not None and not any(OUR_NAME.fullmatch(name) for name in one.names):
            days[one.says.trade_date].add(one.says.isin)
    for day, isins in days.items():
        same = Q(allocation__trade_date=day) & ~Q(state=moves.CANCELED)
        if "" not in isins:
            same &= Q(allocation__block__listing__instrument__isin__in=isins)
        wanted |= same
    return wanted


def _siblings(ours: object, said: Collection[Theirs]) -> list[UUID]:
    """Earlier records under a name that one of these replaces, cancels or repeats."""
    refs = {one.ref for one in said} | {one.ref_of for one in said if one.trans_type != "new"}
    return list(ours.filter(their_ref__in=refs).values_list("id", flat=True))  # type: ignore[attr-defined]


def _pair(scene: _Scene) -> None:
    """Say of every record whom it is about, or why of nobody; keep what changed."""
    before = {pk: (row.state, row.confirmation_id, row.why) for pk, row in scene.records.items()}
    rejected = {pk for pk, row in scene.records.items() if row.state == State.SUPERSEDED and row.by_hand}
    # An instruction that we refuse leaves the one that stood; a confirmation of theirs is ended by its successor, wrong or not.
    counted = [
        one for pk, one in scene.said.items() if pk not in rejected or one.kind == MessageKind.CONFIRMATION.value
    ]
    alive = {one.id for one in live(counted)} - rejected
    by_kind: dict[str, list[Theirs]] = defaultdict(list)
    taken: dict[str, set[UUID]] = defaultdict(set)
    for pk, row in scene.records.items():
        if pk in rejected:
            continue  # we rejected it: whatever it says, it counts no more
        if pk not in alive:
            row.state, row.why = State.SUPERSEDED, ""
            row.confirmation_id = row.confirmation_id or _named_by(scene, scene.said[pk])
        elif row.by_hand and row.confirmation_id in scene.standing:
            taken[row.kind].add(row.confirmation_id)
            scene.paired[row.confirmation_id].append(scene.said[pk])
        else:
            by_kind[row.kind].append(scene.said[pk])
    for kind, said in by_kind.items():
        free = [one.ours for pk, one in scene.standing.items() if pk not in taken[kind]]
        found = pair(free, said, ended=scene.ended)
        for one in said:
            row = scene.records[one.id]
            row.confirmation_id, row.why = found.pairs.get(one.id), found.unpaired.get(one.id, "")
            row.state, row.by_hand = State.PAIRED if row.confirmation_id else State.UNPAIRED, False
            if row.confirmation_id:
                scene.paired[row.confirmation_id].append(one)
    changed = [
        (pk, row.state, row.confirmation_id, row.why, row.by_hand)
        for pk, row in scene.records.items()
        if before[pk] != (row.state, row.confirmation_id, row.why)
    ]
    update_rows(CounterpartyRecord, changed, key=("id",), fields=("state", "confirmation_id", "why", "by_hand"))


def _move(scene: _Scene, at: datetime) -> None:
    """Match, mismatch, affirm by rule, and answer."""
    matched: list[Step] = []
    affirmed: list[Step] = []
    carry_out([Step(one, "send", reason="They said it again.") for one in _said_again(scene)], actor=ACTOR, at=at)
    for pk, standing in scene.standing.items():
        differences = _differences(scene, pk)
        step = _step(scene, standing, differences, at)
        if step is not None:
            matched.append(step)
        agreed = step.name == "match" if step is not None else standing.row.state == moves.MATCHED
        if (
            agreed
            and scene.terms.role != BROKER
            and affirms_itself(scene.tolerances, counterparty=scene.counterparty, currency=standing.line.currency)
        ):
            affirmed.append(Step(standing, "affirm", reason="Agrees within the tolerances: affirmed by rule."))
    carry_out(matched, actor=ACTOR, at=at)
    carry_out(affirmed, actor=ACTOR, at=at)
    tell_affirmed(scene.terms, [(step.standing, scene.paired[step.standing.row.id]) for step in affirmed], at=at)


def _differences(scene: _Scene, pk: UUID) -> list[list[str]]:
    standing = scene.standing[pk]
    found: dict[str, list[str]] = {}
    for one in scene.paired.get(pk, ()):
        for difference in compare(standing.line.says, one.says, scene.tolerances, counterparty=scene.counterparty):
            found.setdefault(difference.field, difference.as_row())
    return list(found.values())


def _step(scene: _Scene, standing: Standing, differences: list[list[str]], at: datetime) -> Step | None:
    """What becomes of a confirmation by what is paired with it now; None: it stays."""
    row = standing.row
    decides = DECIDES.get(scene.terms.role, MessageKind.CONFIRMATION.value)
    deciding = [one for one in scene.paired.get(row.id, ()) if one.kind == decides]
    withdrawn = not deciding and _withdrew(scene, row, decides)
    if not deciding and (row.state == moves.MATCHED or (withdrawn and row.state in (moves.SENT, moves.MISMATCHED))):
        differences = [list(_WITHDRAWN if withdrawn else _UNCLEAR)]
    words = sentence_of([Difference(*one) for one in differences], currency=standing.line.currency)
    if row.state == moves.AFFIRMED:
        if (differences or withdrawn) and row.differences != differences:
            newest = max(scene.paired.get(row.id) or _records_of(scene, row), key=lambda one: one.rank)
            dispute(row, words or "They withdrew it.", record_id=newest.id, at=at)
        return None
    if differences and row.state in moves.sources_of(moves.CONFIRMATION, "mismatch"):
        return Step(standing, "mismatch", reason=words, differences=differences)
    if differences and row.state == moves.MISMATCHED and row.differences != differences:
        return Step(standing, "mismatch", reason=words, differences=differences)
    if not differences and deciding and row.state in moves.sources_of(moves.CONFIRMATION, "match"):
        return Step(standing, "match", reason="Theirs says the same.")
    return None


def _said_again(scene: _Scene) -> list[Standing]:
    """What we rejected and they have confirmed anew: the rejected record counts no more, so one that is paired is another."""
    decides = MessageKind.CONFIRMATION.value
    return [
        standing
        for pk, standing in scene.standing.items()
        if standing.row.state == moves.REJECTED
        and scene.terms.role != BROKER
        and any(one.kind == decides for one in scene.paired.get(pk, ()))
    ]


def _records_of(scene: _Scene, row: Confirmation) -> list[Theirs]:
    return [scene.said[pk] for pk, record in scene.records.items() if record.confirmation_id == row.id]


def _named_by(scene: _Scene, said: Theirs) -> UUID | None:
    """The confirmation that a record names which no longer counts: so that it is known as withdrawn, in whatever order it came."""
    found = {pk for pk, one in scene.standing.items() if not one.ours.refs.isdisjoint(said.names)}
    return found.pop() if len(found) == 1 else None


def _withdrew(scene: _Scene, row: Confirmation, decides: str) -> bool:
    """Whether they once said it, and have taken back everything that they said; what we rejected they did not take back."""
    mine = [one for one in scene.records.values() if one.confirmation_id == row.id and one.kind == decides]
    return bool(mine) and all(one.state == State.SUPERSEDED and not one.by_hand for one in mine)


def tell_affirmed(terms: Terms, pairs: Sequence[tuple[Standing, Sequence[Theirs]]], *, at: datetime) -> None:
    """AU for every confirmation of theirs that we affirm, where ours leave over FIX."""
    if not terms.sends_messages or terms.role == BROKER:
        return
    kind = MessageKind.CONFIRMATION.value
    release(
        [
            answer(
                MessageKind.CONFIRMATION_ACK, AckStatus.AFFIRMED, counterparty=terms.counterparty, ref_of=one.ref, at=at,
                trade_date=standing.line.trade_date, block_ref=standing.line.block_ref, allocation_ref=standing.line.ref,
            )
            for standing, said in pairs
            for one in said
            if one.kind == kind
        ],
        at=at,
    )  # fmt: skip
