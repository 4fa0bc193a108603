"""What a counterparty and a custodian would say of allocated trades and their settlement, record by record, from our books alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from allocations.domain import transitions as moves
from allocations.models import Allocation, Confirmation, SettlementInstruction
from kernel.numbers import ZERO, plain
from reconciliation.domain.making.sheet import Record
from reconciliation.domain.post_trade_matching import SAID


def allocations(day: date) -> Iterator[Record]:
    """Every allocation that stands of the day."""
    states = dict(
        Confirmation.objects.filter(allocation__trade_date=day)
        .exclude(state=moves.CANCELED)
        .values_list("allocation_id", "state")
    )
    rows = (
        Allocation.objects.filter(trade_date=day, state=moves.BOOKED, is_rounding=False)
        .select_related("account", "block", "block__listing", "block__listing__instrument")
        .order_by("number")
    )
    for row in rows.iterator(chunk_size=2000):
        commission = sum((_amount(charge) for charge in row.charges if charge[0] == "commission"), ZERO)
        state = states.get(row.id, "")
        yield Record(
            row.ref,
            {
                **_shared(row),
                "our_ref": row.ref,
                "avg_px": plain(round(row.avg_px, 8)),
                "gross": plain(abs(row.gross)),
                "commission": plain(commission),
                "fees": plain(row.fees - commission),
                "net": plain(abs(row.net)),
                "status": SAID.get(state, state),
            },
        )


def settlements(day: date) -> Iterator[Record]:
    """Every instruction that is due by the day and open, or came to its end on it."""
    rows = (
        SettlementInstruction.objects.filter(settlement_date__lte=day)
        .exclude(state__in=[moves.CANCELED, moves.WAITING])
        .select_related("allocation__account", "allocation__block__listing__instrument")
        .order_by("ref")
    )
    for row in rows.iterator(chunk_size=2000):
        if row.settled_at is not None and row.settled_at.date() < day:
            continue
        yield Record(
            row.ref,
            {
                **_shared(row.allocation),
                "our_ref": row.ref,
                "their_ref": f"CU{row.ref}",
                "qty": plain(row.qty),
                "settlement_date": row.settlement_date.isoformat(),
                "amount": plain(row.amount),
                "settled_qty": plain(row.settled_qty),
                "status": SAID.get(row.state, row.state),
            },
        )


def _shared(row: Allocation) -> dict[str, str]:
    listing = row.block.listing
    return {
        "their_ref": f"CP{row.number}", "account": row.account.code, "isin": listing.instrument.isin, "symbol": listing.symbol,
        "mic": listing.market_id, "side": row.side, "qty": plain(row.qty), "currency": row.block.currency,
        "trade_date": row.trade_date.isoformat(), "settlement_date": row.settlement_date.isoformat(),
    }  # fmt: skip


def _amount(charge: list[str]) -> Decimal:
    return Decimal(charge[3])
