"""Fold what custodians said into the instructions it names, and book what changed hands. Inside the caller's transaction.

Each instruction is folded from all its statuses, before and after (``domain.settling``): the difference is what is booked, moved
and told, so that arrival in any order, twice or in parts comes to the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from accounts.services.settle_trades import SettledTrade, settle_trades
from allocations.domain import transitions as moves
from allocations.domain.instructing import RECEIVE, Function
from allocations.domain.settling import Asked, Contradicts, Part, Standing, change_of, money_difference, stand
from allocations.locks import lock_instructions
from allocations.models import SettlementInstruction
from allocations.selectors.statuses import asked_of_all, statuses_by_instruction
from allocations.services._buy_ins import end_buy_ins
from allocations.services._on_one_instruction import HELD_KIND, tell_act
from allocations.services._settlement_events import (
    REJECTED,
    Moved,
    clear_outcome,
    record_moves,
    settlement_anomaly,
    tell,
)
from allocations.services._settlement_files import make_files
from allocations.services._transforming import make_smaller
from authorisation.domain.principal import Principal
from journal.bulk import raw_cursor
from journal.domain.records import ANOMALY_RAISED, Anomaly, Severity
from kernel.fix import Side
from kernel.numbers import ZERO, plain

CONTRADICTION = "SETTLEMENT_CONTRADICTION"
AMOUNT_DIFFERS = "SETTLEMENT_AMOUNT_DIFFERS"
STARTED = SettlementInstruction.BuyIn.STARTED
_TOLD_OF = (moves.FAILED, moves.REJECTED)
_MAY_BE_DOUBLE = (Contradicts.AFTER_CANCEL, Contradicts.OTHER_SHARES)
_ABOUT = """
SELECT i.id, a.side, m.time_zone FROM allocations_settlementinstruction i
  JOIN allocations_allocation a ON a.id = i.allocation_id
  JOIN allocations_block b ON b.id = a.block_id
  JOIN refdata_listing l ON l.id = b.listing_id
  JOIN refdata_market m ON m.mic = l.market_id
 WHERE i.id = ANY(%s::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Folded:
    """An instruction before and after."""

    row: SettlementInstruction
    asked: Asked
    before: Standing
    after: Standing
    old_ref_words: frozenset[UUID] = frozenset()

    @property
    def settled_by_old_ref(self) -> bool:
        return self.after.state == moves.SETTLED and any(p.status_id in self.old_ref_words for p in self.after.parts)


@dataclass(frozen=True, slots=True)
class Applied:
    """Instructions that moved, and statuses that cannot be true with the rest."""

    moved: int
    contradictions: int


def apply_statuses(
    *,
    actor: Principal,
    at: datetime,
    batch_id: UUID,
    source: str,
    rows: Sequence[SettlementInstruction],
    new: Collection[UUID],
) -> Applied:
    """``rows`` are locked behind the balances of their accounts; ``new`` are the statuses that were not there before."""
    fresh = _make_smaller(rows, actor=actor, at=at)
    words = {one.id for said in statuses_by_instruction([row.id for row in fresh]).values() for one in said}
    folded = _fold([*rows, *fresh], {*new, *words})
    bought_in = [one.row for one in folded if one.after.state == moves.SETTLED and one.row.buy_in == STARTED]
    booked = _book(folded, actor=actor, at=at, batch_id=batch_id, source=source)
    moved = [_moved(one, booked.get(one.row.id, (ZERO, ZERO)), at) for one in folded if _differs(one)]
    record_moves(actor=actor, at=at, batch_id=batch_id, moved=moved, why=source)
    anomalies = [item for one in folded for item in _anomalies(one)]
    tell(anomalies, kind=ANOMALY_RAISED, actor=actor, at=at)
    over = [one.instruction for one in moved if one.instruction.state == moves.SETTLED and one.was in _TOLD_OF]
    clear_outcome(over, actor=actor, at=at)
    end_buy_ins(bought_in, actor=actor, at=at, why="It has settled.")
    _hold_successors(folded, actor=actor, at=at)
    _recall_doubles(folded, batch_id=batch_id, at=at)
    return Applied(len(moved), sum(item.kind == CONTRADICTION for item in anomalies))


def _make_smaller(
    rows: Sequence[SettlementInstruction], *, actor: Principal, at: datetime
) -> list[SettlementInstruction]:
    """What takes the place of a transformed one is of what it has not settled in its own shares, as that is known now."""
    closed = [row for row in rows if row.shares_until is not None]
    asked, said = asked_of_all(closed), statuses_by_instruction([row.id for row in closed])
    fresh = []
    for row in closed:
        now = stand(asked[row.id], said.get(row.id, ()))
        if now.settled_qty != row.settled_qty:
            fresh += make_smaller(row, settled=now.settled_qty, paid=now.settled_amount, actor=actor, at=at)
    replaced = {row.replaces_id for row in fresh}
    for row in rows:
        if row.id in replaced:
            row.refresh_from_db()
    return fresh


def _recall_doubles(folded: Sequence[Folded], *, batch_id: UUID, at: datetime) -> None:
    """Its custodian transformed the old one by itself and settled that: what we instructed beside it is asked back."""
    twice = [
        one.row.id
        for one in folded
        if one.settled_by_old_ref and one.before.state != moves.SETTLED and one.row.instructed_at is not None
    ]
    if twice:
        make_files(instruction_ids=twice, function=Function.CANCEL, event_id=batch_id, at=at)


def _hold_successors(folded: Sequence[Folded], *, actor: Principal, at: datetime) -> None:
    """Units are said to have settled under a reference that was sent again: what takes its place does not leave unlooked at."""
    after_cancel = [
        one.row
        for one in folded
        if any(item.code in _MAY_BE_DOUBLE for item in change_of(one.before, one.after).new_contradictions)
    ]
    refs = {row.id: row.ref for row in after_cancel}
    waiting = SettlementInstruction.objects.filter(
        Q(replaces_id__in=refs) | Q(transforms_id__in=refs), state=moves.WAITING
    ).values_list("id", flat=True)
    for row in lock_instructions(list(waiting)).values() if refs else ():
        if row.state == moves.WAITING and row.held_at is None and row.replaces_id is not None:
            old = refs.get(row.replaces_id) or refs[row.transforms_id or row.replaces_id]
            row.held_why = f"{old}, which it takes the place of, is said to have settled."
            row.held_at, row.held_by = at, actor.actor
            row.event_id = tell_act(actor=actor, at=at, kind=HELD_KIND, row=row, reason=row.held_why)
            row.save(update_fields=["held_at", "held_by", "held_why", "event_id"])


def _fold(rows: Sequence[SettlementInstruction], new: Collection[UUID]) -> list[Folded]:
    said, asks = statuses_by_instruction([row.id for row in rows]), asked_of_all(rows)
    folded = []
    for row in rows:
        asked, everything = asks[row.id], said.get(row.id, [])
        before = stand(asked, [one for one in everything if one.id not in new])
        old_ref = frozenset(one.id for one in everything if one.by_old_ref)
        folded.append(Folded(row, asked, before, stand(asked, everything), old_ref))
    return folded


def _book(
    folded: Sequence[Folded], *, actor: Principal, at: datetime, batch_id: UUID, source: str
) -> dict[UUID, tuple[Decimal, Decimal]]:
    """Move what changed hands; by instruction the units and money of which a balance moved."""
    changed = [one for one in folded if one.before.parts != one.after.parts]
    about = _about([one.row.id for one in changed])
    trades: list[tuple[UUID, bool, Decimal, SettledTrade]] = []
    for one in changed:
        side, zone = about[one.row.id]
        change = change_of(one.before, one.after)
        for sign, parts in ((1, change.added), (-1, change.removed)):
            for part in parts:
                trades += _trades(one.row, part, sign, is_short=Side(side).is_short, day=_day(part, zone))
    done = settle_trades(actor=actor, at=at, batch_id=batch_id, source=source, trades=[trade for *_, trade in trades])
    sums: defaultdict[UUID, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for (key, is_cash, amount, _), was_booked in zip(trades, done, strict=True):
        if was_booked:
            sums[key][is_cash] += amount
    return {key: (qty, amount) for key, (qty, amount) in sums.items()}


def _trades(
    row: SettlementInstruction, part: Part, sign: int, *, is_short: bool, day: date
) -> list[tuple[UUID, bool, Decimal, SettledTrade]]:
    """Stock one way and cash the other. What was sold short leaves no stock of the account: its leg is its own."""
    way = sign if row.delivery == RECEIVE else -sign
    common = (row.settlement_date, part.effective_at, day)
    cash = SettledTrade(row.ref, row.account_id, row.currency, None, -way * part.amount, *common)
    found = [(row.id, True, sign * part.amount, cash)]
    if not is_short:
        stock = SettledTrade(row.ref, row.account_id, "", row.instrument_id, way * part.qty, *common)
        found.append((row.id, False, sign * part.qty, stock))
    return found


def _about(ids: Sequence[UUID]) -> dict[UUID, tuple[str, ZoneInfo]]:
    """Side of the trade and zone of its market."""
    if not ids:
        return {}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_ABOUT, [list(ids)])
        return {row[0]: (row[1], ZoneInfo(row[2])) for row in cursor.fetchall()}


def _day(part: Part, zone: ZoneInfo) -> date:
    return part.effective_at.astimezone(zone).date()


def _differs(one: Folded) -> bool:
    row, after = one.row, one.after
    figures = (row.state, row.settled_qty, row.settled_amount) != (
        after.state,
        after.settled_qty,
        after.settled_amount,
    )
    return figures or (row.shares_until is None and (row.reason_code, row.reason) != (after.reason_code, after.reason))


def _moved(one: Folded, booked: tuple[Decimal, Decimal], at: datetime) -> Moved:
    row, after = one.row, one.after
    if row.held_at is not None and after.state != moves.WAITING:
        row.held_at, row.held_by, row.held_why = None, "", ""
        row.save(update_fields=["held_at", "held_by", "held_why"])
    was, qty, amount = row.state, after.settled_qty - row.settled_qty, after.settled_amount - row.settled_amount
    row.state, row.settled_qty, row.settled_amount = after.state, after.settled_qty, after.settled_amount
    row.matched_at, row.settled_at = after.matched_at, after.settled_at
    if row.shares_until is None:  # of a transformed one both say when and why it was closed
        row.reason_code, row.reason = after.reason_code, after.reason
        row.closed_at = at if row.state in (moves.SETTLED, moves.CANCELED) else None
    if row.state == moves.SETTLED:
        row.buy_in, row.buy_in_on = SettlementInstruction.BuyIn.NONE, None
    return Moved(row, was, qty, amount, *booked)


def _anomalies(one: Folded) -> list[Anomaly]:
    row, change = one.row, change_of(one.before, one.after)
    found = [
        settlement_anomaly(
            CONTRADICTION, row, item.sentence, severity=Severity.HIGH, key=str(item.status_id), code=item.code.value
        )
        for item in change.new_contradictions
    ]
    difference = money_difference(one.asked, one.after)
    if difference and one.before.state != moves.SETTLED:
        sentence = (
            f"{plain(one.after.settled_amount)} {row.currency} were paid and {plain(row.amount)} were instructed: "
            f"{plain(difference)} stay open."
        )
        found.append(
            settlement_anomaly(AMOUNT_DIFFERS, row, sentence, severity=Severity.HIGH, difference=plain(difference))
        )
    if one.after.state == moves.REJECTED and one.before.state != moves.REJECTED:
        why = " ".join(part for part in (row.reason_code, row.reason) if part) or "no reason given"
        found.append(
            settlement_anomaly(REJECTED, row, f"the custodian does not take it ({why}).", severity=Severity.HIGH)
        )
    return found
