"""Instruct in other shares what is open of instructions: the old one ends, the next version takes its place for the same money.

Inside the caller's transaction, behind the balances of the accounts and the instructions themselves. Of an allocation one lives
(constraint). What the old one had settled stays with it, and what turns out later to have changed hands in its own shares makes its
successor smaller: that one is canceled and made anew, so that both together are never more than was traded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

from allocations.domain import transitions as moves
from allocations.domain.instructing import Function, ref_of
from allocations.domain.transforming import Transformed, transformed
from allocations.models import SettlementInstruction
from allocations.services._buy_ins import end_buy_ins
from allocations.services._settlement_events import (
    NOT_TRANSFORMED,
    Moved,
    clear_outcome,
    record_moves,
    settlement_anomaly,
    tell,
)
from allocations.services._settlement_files import make_files
from authorisation.domain.principal import Principal
from journal.bulk import update_rows
from journal.domain.chain import EventDraft
from journal.domain.records import ANOMALY_RAISED, Severity
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from kernel.numbers import ZERO, plain
from refdata.as_at import terms_of
from refdata.domain.action_terms import ActionTerms
from refdata.models import CorporateAction
from refdata.selectors import get_market_clock

KIND = "SettlementsTransformed"
KNOWN = frozenset({moves.INSTRUCTED, moves.MATCHED, moves.PENDING, moves.PARTIAL, moves.FAILED})
"""States in which the custodian knows of it and has not refused it."""
_KEPT = (
    "allocation_id", "account_id", "instrument_id", "delivery", "currency", "trade_date", "settlement_date", "counterparty",
    "held_at", "held_by", "held_why",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """``row`` ends; ``made`` of ``of_qty`` units of ``old``, open for ``amount``, takes its place, or nothing does."""

    row: SettlementInstruction
    old: SettlementInstruction
    of_qty: Decimal
    amount: Decimal
    made: Transformed
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """The action, its terms, and the ISIN under which custodians know what ends."""

    action: CorporateAction
    terms: ActionTerms
    isin: str = ""

    @property
    def since(self) -> datetime:
        """The ex date begins at its market."""
        zone = get_market_clock(self.action.listing.market_id).zone
        return datetime.combine(self.terms.ex_date, time(), zone)


def transform(
    cause: Cause, changes: Sequence[Change], *, actor: Principal, at: datetime
) -> list[SettlementInstruction]:
    """Carry the changes out, tell them, ask custodians to cancel; the new ones, in order."""
    if not changes:
        return []
    batch_id, rows = new_id(), [one.row for one in changes]
    made = [_next(cause, one, at) if one.made.qty else None for one in changes]
    known, canceled = [row.id for row in rows if row.state in KNOWN], []
    started = [row for row in rows if row.buy_in == SettlementInstruction.BuyIn.STARTED]
    for one, new in zip(changes, made, strict=True):
        was, one.row.state, one.row.closed_at = one.row.state, moves.CANCELED, at
        one.row.reason = f"{cause.action}: {f'instructed as {new.ref}' if new else 'nothing of it is open'}."[:500]
        canceled.append(Moved(one.row, was, ZERO, ZERO, ZERO, ZERO))
    end_buy_ins(started, actor=actor, at=at, why=f"{cause.action}: it is instructed in other shares.")
    record_moves(actor=actor, at=at, batch_id=batch_id, moved=canceled, why="instructed in other shares")
    own = [one.row for one in changes if one.row.id == one.old.id]
    for row in own:
        row.shares_until = cause.since
    update_rows(
        SettlementInstruction, [(row.id, row.shares_until) for row in own], key=("id",), fields=("shares_until",)
    )
    draft = _draft(cause, changes, made, actor, at)
    fresh = [new for new in made if new is not None]
    for new in fresh:
        new.event_id = draft.id
    append_to_stream(drafts=[draft], at=at)
    SettlementInstruction.objects.bulk_create(fresh)
    if known:
        make_files(instruction_ids=known, function=Function.CANCEL, event_id=batch_id, at=at, isin=cause.isin)
    clear_outcome(rows, actor=actor, at=at)
    return fresh


def _next(cause: Cause, change: Change, at: datetime) -> SettlementInstruction:
    row, name = change.row, str(cause.action.id)
    taken = [one for one in change.old.taken_into if one != name]
    version = row.version + 1
    return SettlementInstruction(
        id=new_id(), ref=ref_of(row.allocation.number, version), version=version, replaces=row, transforms=change.old,
        action=cause.action, of_qty=change.of_qty, taken_into=taken if change.undone else [*taken, name],
        qty=change.made.qty, amount=max(change.amount, ZERO), created_at=at, state=moves.WAITING,
        **{name: getattr(row, name) for name in _KEPT},
    )  # fmt: skip


def _draft(
    cause: Cause,
    changes: Sequence[Change],
    made: Sequence[SettlementInstruction | None],
    actor: Principal,
    at: datetime,
) -> EventDraft:
    event_id = new_id()
    lines = [
        {
            "instruction_id": str(new.id) if new else "", "ref": new.ref if new else "", "instead_of": one.row.ref,
            "transforms": one.old.ref, "of_qty": plain(one.of_qty), "qty": plain(one.made.qty), "cut": plain(one.made.cut_shown),
            "amount": plain(one.amount),
        }
        for one, new in zip(changes, made, strict=True)
    ]  # fmt: skip
    return EventDraft(
        id=event_id, stream=f"settlement:{event_id}", kind=KIND, actor=actor.actor, on_behalf_of=actor.on_behalf_of,
        correlation_id=cause.action.id, event_at=at, received_at=at, business_date=cause.terms.ex_date,
        payload={"action_id": str(cause.action.id), "undone": any(one.undone for one in changes), "lines": lines},
    )  # fmt: skip


def make_smaller(
    old: SettlementInstruction, *, settled: Decimal, paid: Decimal, actor: Principal, at: datetime
) -> list[SettlementInstruction]:
    """Of a transformed one ``settled`` units for ``paid`` are known now to have changed hands in its own shares: what takes its place
    is made of what is left. The caller holds the lock of all that transform it."""
    rows = SettlementInstruction.objects.filter(transforms=old).select_related("allocation", "action__listing")
    row = rows.order_by("version").last()
    left = old.qty - settled
    if row is None or row.action is None or row.of_qty == left or row.settled_qty:
        return []
    if row.state not in (*KNOWN, moves.WAITING, moves.REJECTED):
        if row.shares_until is not None:
            sentence = (
                f"{plain(settled)} units are known now to have settled before {row.ref} took its place, and that is transformed "
                "itself: what lives of them is too much by those."
            )
            _tell(old, sentence, actor=actor, at=at)
        return []
    cause = Cause(row.action, terms_of(row.action))
    undone = str(row.action_id) not in row.taken_into
    change = Change(row, old, left, old.amount - paid, _made(left, row, cause.terms, undone=undone), undone)
    if left and not change.made.qty:
        _tell(old, f"{plain(left)} units of it are left and are no whole share for {row.action}.", actor=actor, at=at)
    return transform(cause, [change], actor=actor, at=at)


def _made(left: Decimal, row: SettlementInstruction, terms: ActionTerms, *, undone: bool) -> Transformed:
    if not left:
        return Transformed(ZERO)
    return back(left, terms) if undone else transformed(left, terms)


def back(qty: Decimal, terms: ActionTerms) -> Transformed:
    """New units in old ones, where the action is taken back."""
    if not terms.kind.is_split:
        return Transformed(qty)
    new, old = terms.ratio
    return Transformed(Decimal(int(qty * old / new)))


def _tell(old: SettlementInstruction, sentence: str, *, actor: Principal, at: datetime) -> None:
    told = settlement_anomaly(NOT_TRANSFORMED, old, sentence, severity=Severity.HIGH)
    tell([told], kind=ANOMALY_RAISED, actor=actor, at=at)
