"""Rebuild the money of accounts from events and compare it with their balances and reservations. Reads only.

``shares`` are what the orders of these accounts came to in the same replay; whoever calls sees to one moment for all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.ledger import AccountMoney, OrderHold
from accounts.domain.replaying import (
    OPENINGS,
    OrderShare,
    ReplayedMoney,
    Sums,
    add_share,
    take,
    take_allocation,
    take_statement,
)
from accounts.selectors import list_allocation_events, list_holds_of_accounts, list_statement_events, read_money
from journal.domain.differing import Difference, differences, missing_rows
from journal.selectors.events import list_events_by_id, records_of_streams


def replay_accounts(*, account_ids: Sequence[UUID], shares: Iterable[OrderShare]) -> list[Difference]:
    """Every difference of these accounts: cash, holdings, what orders hold, and whether a balance is overdrawn."""
    told = {account_id: ReplayedMoney(account_id) for account_id in account_ids}
    opened: set[UUID] = set()
    for event, _ in records_of_streams([f"account:{account_id}" for account_id in account_ids]):
        account_id = UUID(event.stream[8:])
        opened.add(account_id)
        if event.kind == "AccountOpened":
            told[account_id].cash_in(event.payload["base_currency"])
        take(told[account_id], event)
    by_text = {str(account_id): money for account_id, money in told.items()}
    for event in list_events_by_id(list_statement_events(account_ids)):
        if event.kind in OPENINGS:
            for account_id, currency in event.payload["opened"]:
                if account_id in by_text:
                    opened.add(UUID(account_id))
                    by_text[account_id].cash_in(currency)
        else:
            take_statement(by_text, event)
    for event in list_events_by_id(list_allocation_events(account_ids)):
        take_allocation(by_text, event)
    for share in shares:
        if share.account_id in told:
            add_share(told[share.account_id], share)
    stored = read_money(account_ids)
    holds: defaultdict[UUID, dict[UUID, OrderHold]] = defaultdict(dict)
    for hold in list_holds_of_accounts(account_ids):
        holds[hold.account_id][hold.order_id] = hold
    found: list[Difference] = []
    for account_id in account_ids:
        if account_id not in opened:
            found.append(Difference(f"account:{account_id}", "events", "(nothing)", "an account"))
        found += compare(told[account_id], stored[account_id], holds[account_id])
    return found


def compare(told: ReplayedMoney, stored: AccountMoney, holds: dict[UUID, OrderHold]) -> Iterator[Difference]:
    """Balance by balance; one that only one side has is compared with zeros."""
    subject = f"account:{told.account_id}"
    for currency in sorted(told.cash.keys() | stored.cash.keys()):
        sums = told.cash.get(currency, Sums())
        yield from differences(subject, _columns(sums), _stored(stored.cash.get(currency)), within=f"cash {currency}")
    for instrument_id in sorted(told.stock.keys() | stored.holdings.keys()):
        sums = told.stock.get(instrument_id, Sums())
        row = _stored(stored.holdings.get(instrument_id))
        yield from differences(subject, _columns(sums), row, within=f"holding {instrument_id}")
    yield from missing_rows(subject, told.holds, holds, what="reservation")
    for order_id in sorted(told.holds.keys() & holds.keys()):
        kept = holds[order_id]
        wanted, had = _hold(told.holds[order_id]), _hold(kept)
        yield from differences(subject, wanted, had, within=f"reservation {order_id}")


def _columns(sums: Sums) -> dict[str, Any]:
    return {
        "settled": sums.settled,
        "pending": sums.pending,
        "reserved": sums.reserved,
        "short": sums.short,
        "overdrawn": sums.is_overdrawn,
    }


def _stored(row: Any) -> dict[str, Any]:
    if row is None:
        return _columns(Sums())
    return {
        "settled": row.settled,
        "pending": row.pending,
        "reserved": row.reserved,
        "short": getattr(row, "short", Decimal(0)),
        "overdrawn": row.overdrawn_by_event is not None,
    }


def _hold(hold: OrderHold) -> dict[str, Any]:
    return {
        "cash_currency": hold.cash_currency,
        "cash": hold.cash,
        "instrument_id": hold.instrument_id,
        "stock": hold.stock,
    }
