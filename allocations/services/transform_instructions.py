"""Sweeper: what is instructed in shares or under an ISIN that are no more is canceled and instructed in those that are.

Trades of before the ex date of a split or of a change of ISIN that stands, open at their custodians or not sent yet, also those that
are formed later (a late trade, a compensation); what a custodian refused is transformed when somebody sends it again. Where the action
is undone, what is open goes back. What cannot be said in whole shares, or settled in shares that are no more, is a matter
(SETTLEMENT_NOT_TRANSFORMED) with the figures. Parts of shares and their money: ``_fractions``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.services.settle_trades import lock_settling
from allocations.domain import transitions as moves
from allocations.domain.transforming import Transformed, transformed, transforms, turned_back
from allocations.locks import lock_claims, lock_instructions
from allocations.models import SettlementInstruction
from allocations.selectors.statuses import statuses_by_instruction
from allocations.services._apply_statuses import apply_statuses
from allocations.services._fractions import follow_fractions
from allocations.services._settlement_events import NOT_TRANSFORMED, settlement_anomaly
from allocations.services._transforming import Cause, Change, back, transform
from authorisation.domain.principal import process_principal
from journal.domain.records import Severity
from journal.services.set_anomaly import set_anomaly
from kernel.crash_points import crash_point
from kernel.ids import new_id
from kernel.numbers import plain
from refdata.as_at import terms_of
from refdata.domain.action_terms import ActionKind
from refdata.domain.action_transitions import STANDS, UNDONE
from refdata.models import CorporateAction

ACTOR = process_principal("settlement")
WINDOW = timedelta(days=90)
MOST = 500
_KINDS = (ActionKind.SPLIT.value, ActionKind.REVERSE_SPLIT.value, ActionKind.NAME_CHANGE.value)
_OVER = (moves.SETTLED, moves.CANCELED, moves.REJECTED)


@dataclass(slots=True)
class _Planned:
    """What is to be done for one action; ``stuck`` with what speaks against each."""

    changes: list[Change] = field(default_factory=list)
    stuck: list[tuple[SettlementInstruction, str]] = field(default_factory=list)


def transform_instructions(*, at: datetime, most: int = MOST) -> int:
    """How many were transformed, of at most so many for an action."""
    rows = CorporateAction.objects.filter(
        kind__in=_KINDS, state__in=[*STANDS, UNDONE], ex_date__gte=(at - WINDOW).date()
    )
    done = 0
    for action in rows.select_related("listing", "instrument").order_by("ex_date", "id"):
        cause = _cause(action)
        if cause is None:
            continue
        done += _transform(cause, at=at, most=most)
        follow_fractions(action, cause.terms, at=at)
    return done


def _cause(action: CorporateAction) -> Cause | None:
    """None where it changes nothing that is instructed. Custodians know what ends by the name that is no more."""
    terms = terms_of(action)
    if not transforms(terms):
        return None
    was = (
        "" if terms.kind.is_split else terms.new_isin if action.state == UNDONE else str(action.changes.get("isin", ""))
    )
    return Cause(action, terms, was)


def _transform(cause: Cause, *, at: datetime, most: int) -> int:
    found = list(_due(cause).values_list("id", "account_id")[:most])
    if not found:
        return 0
    with transaction.atomic():
        lock_claims(cause.action.id)
        now = CorporateAction.objects.values_list("state", "version").get(pk=cause.action.id)
        if now != (cause.action.state, cause.action.version):
            return 0
        lock_settling({account_id for _, account_id in found})
        held = lock_instructions([key for key, _ in found])
        due = set(_due(cause).filter(pk__in=held).values_list("id", flat=True))
        planned = _plan(cause, [row for key, row in held.items() if key in due])
        fresh = transform(cause, planned.changes, actor=ACTOR, at=at)
        crash_point("instructions.transformed")
        _take_known_words(fresh, at=at)
        for row, sentence in planned.stuck:
            told = settlement_anomaly(NOT_TRANSFORMED, row, sentence, severity=Severity.HIGH)
            set_anomaly(anomaly=told, wrong=True, actor=ACTOR.actor, at=at)
    return len(planned.changes)


def _due(cause: Cause) -> QuerySet[SettlementInstruction]:
    """By number: of trades of before the ex date what lives and is not in the shares that hold now."""
    rows = SettlementInstruction.objects.filter(
        allocation__block__instrument_id=cause.action.instrument_id,
        allocation__block__trade_date__lt=cause.terms.ex_date,
    ).exclude(state__in=_OVER)
    taken = Q(taken_into__contains=[str(cause.action.id)])
    return rows.filter(taken if cause.action.state == UNDONE else ~taken).order_by("allocation__number", "version")


def _plan(cause: Cause, rows: Sequence[SettlementInstruction]) -> _Planned:
    planned = _Planned()
    undone = cause.action.state == UNDONE
    for row in sorted(rows, key=lambda one: (one.allocation.number, one.version)):
        made = _back(cause, row) if undone else transformed(row.open_qty, cause.terms)
        if made.qty <= 0:
            sentence = (
                f"{plain(row.open_qty)} units are open and are no whole share for {cause.action}: agree with the other side on money "
                f"for them; it stays as it is instructed."
            )
            planned.stuck.append((row, sentence))
        else:
            planned.changes.append(Change(row, row, row.open_qty, row.open_amount, made, undone))
            if undone and row.settled_qty:
                planned.stuck.append((row, _settled_sentence(cause, row)))
    return planned


def _back(cause: Cause, row: SettlementInstruction) -> Transformed:
    if row.action_id == cause.action.id and row.of_qty is not None:
        return Transformed(turned_back(open_qty=row.open_qty, qty=row.qty, of_qty=row.of_qty))
    return back(row.open_qty, cause.terms)


def _settled_sentence(cause: Cause, row: SettlementInstruction) -> str:
    return f"{plain(row.settled_qty)} units settled in shares of {cause.action}, which is undone: ask the custodian what it made of them."


def _take_known_words(fresh: Sequence[SettlementInstruction], *, at: datetime) -> None:
    """What a custodian that transformed by itself had said of the old reference already."""
    said = statuses_by_instruction([row.id for row in fresh])
    rows = [row for row in fresh if row.id in said]
    if rows:
        words: set[UUID] = {one.id for row in rows for one in said[row.id]}
        apply_statuses(actor=ACTOR, at=at, batch_id=new_id(), source="said before", rows=rows, new=words)
