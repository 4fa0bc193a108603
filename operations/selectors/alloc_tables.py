"""The lists of the allocation pages as tables to export: the same rows, every column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

from allocations.domain.block import round_fraction
from allocations.domain.fairness import AccountRecord
from operations.exporting import Column, Heading, Table, make_table
from operations.exporting.table import Cell
from operations.selectors.alloc import BlockRow

SIX = Decimal("0.000001")
BLOCKS = tuple(
    Column(name, title)
    for name, title in (
        ("block", "Block"), ("kind", "Kind"), ("desk", "Desk"), ("trade_date", "Trade date"),
        ("settlement_date", "Settlement date"), ("symbol", "Instrument"), ("side", "Side"), ("qty", "Quantity"),
        ("avg_px", "Average price"), ("cash", "Cash"), ("currency", "Currency"), ("fills", "Executions"),
        ("account", "Account"), ("state", "State"), ("round", "Round"), ("method", "Method"), ("scheme", "Scheme"),
        ("parked", "Parked lines"), ("allocate_by", "Allocate by"), ("booked_at", "Booked at"), ("booked_by", "Booked by"),
    )
)  # fmt: skip


def blocks_table(*, heading: Heading, rows: Iterable[BlockRow]) -> Table:
    """As listed."""
    return make_table(heading, BLOCKS, (_cells(row) for row in rows))


def _cells(row: BlockRow) -> tuple[Cell, ...]:
    block = row.block
    return (
        block.ref, block.kind, block.desk.code, block.trade_date, block.settlement_date, block.listing.symbol, block.side,
        block.qty, block.avg_px, block.cash, block.currency, block.fills, block.account.code, block.state, block.round,
        block.method, block.scheme, row.parked, block.allocate_by, block.booked_at, block.booked_by,
    )  # fmt: skip


FAIRNESS = tuple(
    Column(name, title)
    for name, title in (
        ("account", "Account"), ("name", "Name"), ("blocks", "Blocks"), ("qty", "Units"),
        ("price_bp", "Price against the day, bp"), ("against_block_bp", "Price against its blocks, bp"),
        ("filled", "Got of what was expected"), ("gain_bp", "Gain to the close, bp"),
        ("surplus_gain_bp", "Gain of what it got beyond, bp of a block"), ("p", "p"), ("trials", "Shares changed by hand"),
        ("won", "of which in its favour"), ("p_changed", "p of that"), ("flags", "Questions"),
    )
)  # fmt: skip


def fairness_table(*, heading: Heading, rows: Iterable[AccountRecord], names: Mapping[str, str]) -> Table:
    """As listed; figures to six places."""
    return make_table(heading, FAIRNESS, (_fairness_cells(row, names) for row in rows))


def _fairness_cells(row: AccountRecord, names: Mapping[str, str]) -> tuple[Cell, ...]:
    return (
        row.account, names.get(row.account, ""), row.blocks, row.qty, _six(row.price_bp), _six(row.against_block_bp),
        _six(row.filled), _six(row.gain_bp), _six(row.surplus_gain_bp), _six(row.p), row.trials, row.won,
        _six(row.p_changed), " ".join(row.flags),
    )  # fmt: skip


def _six(value: Decimal | Fraction | None) -> Decimal | None:
    return None if value is None else round_fraction(Fraction(value), SIX)
