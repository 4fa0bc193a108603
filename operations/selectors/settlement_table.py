"""The list of instructions as a table to export: the same rows, every column."""

from __future__ import annotations

from collections.abc import Iterable

from allocations.models import SettlementInstruction
from operations.exporting import Column, Heading, Table, make_table
from operations.exporting.table import Cell

INSTRUCTIONS = tuple(
    Column(name, title)
    for name, title in (
        ("ref", "Instruction"), ("state", "State"), ("settlement_date", "Settlement date"), ("trade_date", "Trade date"),
        ("account", "Account"), ("symbol", "Instrument"), ("mic", "Market"), ("delivery", "Way"), ("qty", "Units"),
        ("settled_qty", "Units settled"), ("amount", "Amount"), ("settled_amount", "Amount settled"), ("currency", "Currency"),
        ("custodian", "Custodian"), ("place", "Depository"), ("counterparty", "Other side"), ("reason_code", "Reason"),
        ("reason", "Reason, in words"), ("failing_since", "Failing since"), ("buy_in", "Buy-in"), ("buy_in_on", "Buy-in from"),
        ("held_by", "Held back by"), ("held_why", "Held back because"), ("sent_at", "Sent"), ("settled_at", "Settled last"),
        ("transforms", "Made of"), ("of_qty", "Units of that"),
    )
)  # fmt: skip


def instructions_table(*, heading: Heading, rows: Iterable[SettlementInstruction]) -> Table:
    """As listed."""
    return make_table(heading, INSTRUCTIONS, (_cells(row) for row in rows))


def _cells(row: SettlementInstruction) -> tuple[Cell, ...]:
    listing, standing = row.allocation.block.listing, row.standing
    agent, place = (standing.agent, standing.place) if standing is not None else ("", "")
    return (
        row.ref, row.state, row.settlement_date, row.trade_date, row.account.code, listing.symbol, listing.market_id,
        row.delivery, row.qty, row.settled_qty, row.amount, row.settled_amount, row.currency, agent, place, row.counterparty,
        row.reason_code, row.reason, row.failing_since, row.buy_in, row.buy_in_on, row.held_by, row.held_why,
        row.instructed_at, row.settled_at, row.transforms.ref if row.transforms is not None else "", row.of_qty,
    )  # fmt: skip
