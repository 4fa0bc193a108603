"""Book what a corporate action comes to for one account: the difference between what it is entitled to and what is booked.

So the same call is the first booking, the repetition that finds nothing to do, the adjustment after a late trade, a
correction or a bust, and the reversal (``rule`` None: entitled to nothing). The account's balances are locked before its
position is read, so nothing of it moves meanwhile.

What an issuer does is a fact and is booked even where it overdraws. A reversal is our decision: where it would leave less
than orders hold, nothing is written and the exact difference is returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from accounts.as_at import get_positions_before
from accounts.domain.entitlement import (
    NOTHING,
    Entitlement,
    Key,
    Position,
    Rule,
    difference,
    entitlement,
    lines_to_json,
    payment,
)
from accounts.domain.ledger import AccountMoney, Layer, Posted, Posting, Shortfall, needed_rows, post
from accounts.locks import lock_money, lock_or_open
from accounts.models import ActionEntry, Booking
from accounts.selectors import list_suspense_accounts
from accounts.services._write import BOOKING_FIELDS, booking_values, write_posted
from accounts.services.book_executions import overdrawn_anomaly
from authorisation.domain.principal import Principal
from journal.bulk import one_transaction, raw_cursor, write_rows
from journal.domain.chain import EventDraft
from journal.domain.records import ANOMALY_CLEARED, ANOMALY_RAISED
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.ids import new_id
from kernel.numbers import ZERO, plain

EX, PAY = ActionEntry.Part.EX.value, ActionEntry.Part.PAY.value
_KEPT = """
SELECT b.kind, b.layer, b.currency, b.instrument_id, b.settlement_date, sum(b.amount)
  FROM accounts_actionentry e JOIN accounts_booking b ON b.event_id = e.event_id AND b.account_id = e.account_id
 WHERE e.action_id = %s AND e.account_id = %s AND e.part = %s GROUP BY 1, 2, 3, 4, 5
"""


@dataclass(frozen=True, slots=True)
class ActionOfAccount:
    """Which action, for whom. ``rule`` None takes everything of it back."""

    action_id: UUID
    account_id: UUID
    instrument_id: UUID
    ex_date: date
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class ActionBooked:
    """``event_id`` None where nothing was to be booked; ``missing`` where a reversal is not possible now, and by how much."""

    event_id: UUID | None = None
    missing: tuple[Shortfall, ...] = ()


def book_action(*, actor: Principal, at: datetime, what: ActionOfAccount, part: str = EX) -> ActionBooked:
    """Book it, inside the caller's transaction or one of its own."""
    with one_transaction():
        money = lock_money(account_ids=[what.account_id], instrument_ids=[what.instrument_id])
        position = _position(what)
        kept = kept_lines(what.action_id, what.account_id, part)
        wanted = _wanted(what, position, part)
        lines = difference(wanted.lines, kept)
        rounds = ActionEntry.objects.filter(action_id=what.action_id, account_id=what.account_id, part=part).count()
        if not lines:
            return ActionBooked()

        event_id = new_id()
        postings = [
            Posting(what.account_id, event_id, key.layer, amount, key.currency, key.instrument_id)
            for key, amount in lines.items()
        ]
        posted = _post(money, postings)
        missing = _missing(money, posted) if what.rule is None else ()
        if missing:
            return ActionBooked(missing=missing)

        entry = _entry(what, part, rounds, event_id, position, Entitlement(lines, wanted.fraction), at)
        _record(actor, at, what, entry, lines, posted)
        write_posted(posted)
        rows = [
            booking_values(posting, kind=key.kind, trade_date=what.ex_date, settlement_date=key.settlement_date, at=at)
            for key, posting in zip(lines, postings, strict=True)
        ]
        write_rows(Booking, rows, fields=BOOKING_FIELDS)
        entry.save(force_insert=True)
        return ActionBooked(event_id)


def kept_lines(action_id: UUID, account_id: UUID, part: str) -> dict[Key, Decimal]:
    """What is booked of the action for the account, by key."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_KEPT, [action_id, account_id, part])
        return {
            Key(kind, Layer(layer), currency, instrument_id, settles): amount
            for kind, layer, currency, instrument_id, settles, amount in cursor.fetchall()
            if amount
        }


def _position(what: ActionOfAccount) -> Position:
    found = get_positions_before(account_ids=[what.account_id], instrument_id=what.instrument_id, day=what.ex_date)
    return found.get(what.account_id, Position())


def _wanted(what: ActionOfAccount, position: Position, part: str) -> Entitlement:
    if what.rule is None:
        return NOTHING
    if part == PAY:
        return payment(kept_lines(what.action_id, what.account_id, EX))
    return entitlement(what.rule, position)


def _post(money: Mapping[UUID, AccountMoney], postings: list[Posting]) -> Posted:
    cash, stock = needed_rows(postings, ())
    known = {(account_id, currency) for account_id, one in money.items() for currency in one.cash}
    held = {(account_id, instrument) for account_id, one in money.items() for instrument in one.holdings}
    if not (cash <= known and stock <= held):
        money = lock_or_open(cash=cash, stock=stock)
    return post(money, postings)


def _missing(money: Mapping[UUID, AccountMoney], posted: Posted) -> tuple[Shortfall, ...]:
    """The balances that would fall below what is held, or further below it."""
    found = [
        Shortfall(row.account_id, row.currency, None, row.available, None)
        for row in posted.cash
        if row.available < min(ZERO, money[row.account_id].available_cash(row.currency))
    ]
    for row in posted.holdings:
        before = money[row.account_id].holdings.get(row.instrument_id)
        if row.available < min(ZERO, before.available if before else ZERO) or row.short < ZERO:
            lacking = min(row.available, row.short)
            found.append(Shortfall(row.account_id, "", row.instrument_id, lacking, None))
    return tuple(found)


def _entry(
    what: ActionOfAccount,
    part: str,
    rounds: int,
    event_id: UUID,
    position: Position,
    moved: Entitlement,
    at: datetime,
) -> ActionEntry:
    return ActionEntry(
        action_id=what.action_id,
        account_id=what.account_id,
        part=part,
        round=rounds + 1,
        undoes=what.rule is None,
        event_id=event_id,
        long_before=position.long,
        short_before=position.short,
        units=moved.units,
        fraction=moved.fraction if part == EX else ZERO,
        cash=moved.cash if part == EX else sum((v for k, v in moved.lines.items() if k.layer is Layer.SETTLED), ZERO),
        currency=next((key.currency for key in moved.lines if key.currency), ""),
        recorded_at=at,
    )


def _record(
    actor: Principal,
    at: datetime,
    what: ActionOfAccount,
    entry: ActionEntry,
    lines: Mapping[Key, Decimal],
    posted: Posted,
) -> None:
    """The event of the booking, and what a person must hear of; suspense accounts have no money of their own."""
    draft = EventDraft(
        id=entry.event_id,
        stream=f"account:{what.account_id}",
        kind="CorporateActionBooked",
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=what.action_id,
        event_at=at,
        received_at=at,
        business_date=what.ex_date,
        payload={
            "account_id": str(what.account_id),
            "action_id": str(what.action_id),
            "part": entry.part,
            "round": entry.round,
            "undoes": entry.undoes,
            "long_before": plain(entry.long_before),
            "short_before": plain(entry.short_before),
            "fraction": plain(entry.fraction),
            "lines": lines_to_json(lines),
        },
    )
    suspense = {str(account_id) for account_id in list_suspense_accounts()} if posted.overdrawn else set()
    told = [
        anomaly_draft(anomaly=overdrawn_anomaly(item), actor=actor.actor, at=at, kind=kind)
        for items, kind in ((posted.overdrawn, ANOMALY_RAISED), (posted.recovered, ANOMALY_CLEARED))
        for item in items
        if str(item.account_id) not in suspense
    ]
    append_to_stream(drafts=[draft, *told], at=at)
