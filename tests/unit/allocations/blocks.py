"""Blocks and lines to divide, with ids that are always the same."""

from __future__ import annotations

from decimal import Decimal as D
from uuid import UUID

from allocations.domain.block import Block, Fill, block_of
from allocations.domain.lines import Line
from kernel.fix import Side

BLOCK_ID = UUID(int=0xB10C)


def account(number: int) -> UUID:
    return UUID(int=number)


def block(
    *fills: tuple[str, str],
    side: Side = Side.BUY,
    lot: str = "1",
    divisor: int = 1,
    currency: str = "GBP",
    order_qty: str | None = None,
    first_execution: int = 1,
) -> Block:
    """A block of executions (quantity, price)."""
    made = [Fill(UUID(int=first_execution + index), D(qty), D(px)) for index, (qty, px) in enumerate(fills)]
    return block_of(
        BLOCK_ID,
        side,
        made,
        currency=currency,
        divisor=divisor,
        lot=D(lot),
        order_qty=D(order_qty) if order_qty else None,
    )


def line(number: int, amount: str, **more: object) -> Line:
    """A line of account ``number`` at that place."""
    fields: dict[str, object] = {"place": number, **more}
    decimals = {key: D(str(value)) for key, value in fields.items() if key in ("minimum", "position", "intended")}
    return Line(account(number), D(amount), **{**fields, **decimals})  # type: ignore[arg-type]
