"""Blocks and lines to divide, with ids that are always the same."""

from __future__ import annotations

from decimal import Decimal as D
from uuid import UUID

from accounts.domain.arithmetic import fill_effect
from allocations.domain.block import Block, tie_seed
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
    """A block of executions (quantity, price), as the account they were booked in has them."""
    made = [(D(qty), D(px)) for qty, px in fills]
    effects = [fill_effect(side=side, qty=qty, px=px, divisor=divisor, currency=currency) for qty, px in made]
    return Block(
        id=BLOCK_ID,
        side=side,
        qty=sum((qty for qty, _ in made), D(0)),
        notional=sum((qty * px for qty, px in made), D(0)),
        cash=sum((effect.cash for effect in effects), D(0)),
        currency=currency,
        seed=tie_seed(BLOCK_ID, [UUID(int=first_execution + index) for index in range(len(made))]),
        divisor=divisor,
        lot=D(lot),
        order_qty=D(order_qty) if order_qty else None,
    )


def line(number: int, amount: str, **more: object) -> Line:
    """A line of account ``number`` at that place."""
    fields: dict[str, object] = {"place": number, **more}
    decimals = {key: D(str(value)) for key, value in fields.items() if key in ("minimum", "position", "intended")}
    return Line(account(number), D(amount), **{**fields, **decimals})  # type: ignore[arg-type]
