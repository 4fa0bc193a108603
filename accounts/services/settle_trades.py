"""Move confirmed trades from pending to settled: cash as confirmed, stock in units, some of a trade or all of it.

To trade does not change: what was pending is settled. A statement of bank or registry that was applied as of a later cut has
moved the balance already (ADR 0041, 0050): of such a balance nothing is booked, and the answer says so. A statement that comes
later with an earlier cut is laid under it. ``lock_settling`` keeps both apart in time; the caller takes it before anything else.

Told by ``TradesSettled`` in ``settlement:<batch>``, one event for each moment of settlement and a thousand rows: ``rows`` as those
of ``StatementBooked`` (account, currency or instrument, settled, of it from pending), ``lines`` of each trade.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.ledger import Layer
from accounts.locks import lock_or_open, lock_statements
from accounts.models import Booking, CashBalance, Holding, StatementPart
from accounts.permissions import require_booking_process
from accounts.services._statement_sql import ROWS_A_PART
from authorisation.domain.principal import Principal
from journal.bulk import raw_cursor, update_rows, write_rows
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from kernel.numbers import ZERO, plain

KIND = "TradesSettled"
_COVERED = """
SELECT DISTINCT w.place FROM unnest(%s::int[], %s::uuid[], %s::text[], %s::timestamptz[]) AS w(place, account_id, what, moment)
  JOIN accounts_statementpart p ON p.what IN ('cash', 'holdings') AND p.cut_at >= w.moment
                               AND w.account_id BETWEEN p.first_account AND p.last_account
  JOIN accounts_booking b ON b.account_id = w.account_id AND b.event_id = p.event_id
                         AND coalesce(b.instrument_id::text, b.currency) = w.what
"""
_BOOKING = (
    "account_id", "event_id", "kind", "layer", "currency", "instrument_id", "amount", "trade_date", "settlement_date",
    "recorded_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SettledTrade:
    """What of a trade changed hands: ``amount`` of a currency or ``instrument_id``, signed as received.

    ``matter`` is what the caller calls it, ``settlement_date`` the day it was agreed for, ``effective_at`` when it settled and
    ``day`` the date of that.
    """

    matter: str
    account_id: UUID
    currency: str
    instrument_id: UUID | None
    amount: Decimal
    settlement_date: date
    effective_at: datetime
    day: date

    @property
    def what(self) -> str:
        """How a balance is named in events."""
        return str(self.instrument_id) if self.instrument_id else self.currency


def lock_settling(account_ids: Collection[UUID]) -> None:
    """No statement is weighed and no balance of the accounts moves until commit; taken before anything else."""
    for what in ("cash", "holdings"):
        lock_statements(what)
    lock_or_open(cash=(), stock=(), account_ids=account_ids)


def settle_trades(
    *, actor: Principal, at: datetime, batch_id: UUID, source: str, trades: Sequence[SettledTrade]
) -> list[bool]:
    """Book what no statement has moved already, inside the caller's transaction, behind ``lock_settling``.

    For each trade whether it was booked. For our own processes: raises NotPermitted SECOND_PERSON_NEEDED for people.
    """
    require_booking_process(actor)
    covered = _covered(trades)
    booked = [trade for place, trade in enumerate(trades) if place not in covered and trade.amount]
    if booked:
        _move(booked)
        parts = _parts(booked)
        drafts = [_draft(actor, at, batch_id, source, part) for part in parts]
        append_to_stream(drafts=drafts, at=at)
        _write(list(zip(drafts, parts, strict=True)), batch_id, source, at)
    return [place not in covered for place in range(len(trades))]


def _covered(trades: Sequence[SettledTrade]) -> set[int]:
    """Places of trades whose balance a statement has set as of when they settled, or later."""
    if not trades:
        return set()
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            _COVERED,
            [
                list(range(len(trades))), [t.account_id for t in trades], [t.what for t in trades],
                [t.effective_at for t in trades],
            ],
        )  # fmt: skip
        return {int(row[0]) for row in cursor.fetchall()}


def _move(trades: Sequence[SettledTrade]) -> None:
    """The balances: settled up by what pending goes down."""
    cash: defaultdict[tuple[UUID, str], Decimal] = defaultdict(Decimal)
    stock: defaultdict[tuple[UUID, UUID], Decimal] = defaultdict(Decimal)
    for trade in trades:
        if trade.instrument_id is None:
            cash[trade.account_id, trade.currency] += trade.amount
        else:
            stock[trade.account_id, trade.instrument_id] += trade.amount
    money = lock_or_open(cash=cash, stock=stock)
    for model, moved in ((CashBalance, cash), (Holding, stock)):
        changed = []
        for (account_id, name), amount in moved.items():
            row: Any = (money[account_id].cash if model is CashBalance else money[account_id].holdings)[name]  # type: ignore[index]
            changed.append((row.id, row.settled + amount, row.pending - amount))
        update_rows(model, sorted(changed), key=("id",), fields=("settled", "pending"))


def _parts(trades: Sequence[SettledTrade]) -> list[list[SettledTrade]]:
    """By moment of settlement and account, a thousand at a time."""
    by_moment: defaultdict[tuple[datetime, date], list[SettledTrade]] = defaultdict(list)
    for trade in trades:
        by_moment[trade.effective_at, trade.day].append(trade)
    found = []
    for moment in sorted(by_moment):
        lines = sorted(by_moment[moment], key=lambda t: (t.account_id, t.what, t.matter))
        found += [lines[start : start + ROWS_A_PART] for start in range(0, len(lines), ROWS_A_PART)]
    return found


def _draft(actor: Principal, at: datetime, batch_id: UUID, source: str, part: Sequence[SettledTrade]) -> EventDraft:
    rows: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for trade in part:
        rows[str(trade.account_id), trade.what] += trade.amount
    return EventDraft(
        id=new_id(),
        stream=f"settlement:{batch_id}",
        kind=KIND,
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=batch_id,
        event_at=part[0].effective_at,
        received_at=at,
        business_date=part[0].day,
        payload={
            "batch_id": str(batch_id),
            "source": source,
            "effective_at": part[0].effective_at.isoformat(),
            "rows": [[account, what, plain(moved), plain(moved)] for (account, what), moved in sorted(rows.items())],
            "lines": [
                [t.matter, str(t.account_id), t.what, plain(t.amount), t.settlement_date.isoformat()] for t in part
            ],
        },
    )


def _write(
    told: Sequence[tuple[EventDraft, Sequence[SettledTrade]]], batch_id: UUID, source: str, at: datetime
) -> None:
    """Both layers of every trade by its own date, and of which accounts each event tells."""
    rows, parts = [], []
    for draft, part in told:
        for trade in part:
            named = ("", trade.instrument_id) if trade.instrument_id else (trade.currency, None)
            common = (trade.account_id, draft.id, Booking.Kind.SETTLEMENT.value)
            rows.append((*common, Layer.SETTLED.value, *named, trade.amount, trade.day, trade.day, at))
            rows.append((*common, Layer.PENDING.value, *named, -trade.amount, trade.day, trade.settlement_date, at))
        accounts = [trade.account_id for trade in part]
        parts.append(
            (draft.id, batch_id, batch_id, source, StatementPart.What.TRADES.value, part[0].effective_at, min(accounts),
             max(accounts), at)
        )  # fmt: skip
    write_rows(Booking, rows, fields=_BOOKING)
    write_rows(StatementPart, parts)
