"""Methods that compute no proportions: quantities as somebody typed them, and turns of a rotation. Pure.

Both are held to clients before house: no account of the house has a share while clients have less than was intended for them,
unless the record proves that the house was needed.
"""

from __future__ import annotations

from collections.abc import Sequence

from allocations.domain.block import Block, to_units
from allocations.domain.lines import Allocation, Line, Lines, NotAllocated, Rules, allocation
from allocations.domain.rotation import turn
from allocations.domain.words import AllocationCode, Method
from kernel.numbers import ZERO, plain


def as_typed(block: Block, lines: Lines, rules: Rules) -> Allocation | NotAllocated:
    """The quantities as they are: their sum must be the block."""
    total = sum((line.amount for line in lines), ZERO)
    if total != block.qty:
        rest = block.qty - total
        word = "is left over" if rest > 0 else "is too much"
        return NotAllocated(
            AllocationCode.QUANTITIES_NOT_BLOCK,
            f"The lines sum to {plain(total)}, the block is {plain(block.qty)}: {plain(abs(rest))} {word}.",
        )
    if not rules.house_needed and _house_first(lines, block):
        return _house_before_clients()
    lot = to_units(block.lot)
    units = [to_units(line.amount) for line in lines]
    odd_index = next((index for index, amount in enumerate(units) if amount % lot), None)
    lots = [amount // lot for amount in units]
    intended = sum((line.intended or ZERO for line in lines), ZERO)
    return allocation(Method.MANUAL, block, lines, lots, units, partial=intended > block.qty, odd_index=odd_index)


def _house_first(lines: Sequence[Line], block: Block) -> bool:
    """Whether the house has a share while clients are short of what was intended for them."""
    house = sum((line.amount for line in lines if line.house), ZERO)
    if not house:
        return False
    clients = [line for line in lines if not line.house and line.intended is not None]
    short = sum((max(ZERO, (line.intended or ZERO) - line.amount) for line in clients), ZERO)
    return short >= block.lot


def in_turns(block: Block, lines: Lines, rules: Rules) -> Allocation | NotAllocated:
    """The next turns of the rotation."""
    if not any(line.amount for line in lines):
        return NotAllocated(AllocationCode.TURN_NOT_SET, "No line of the rotation has a turn.")
    kinds = {line.house for line in lines if line.amount}
    if len(kinds) == 2 and not rules.house_needed:
        return _house_before_clients()
    lot, qty = to_units(block.lot), to_units(block.qty)
    turned = turn(lines, qty // lot, lot, rules.start)
    odd = qty % lot
    exact = [share * lot for share in turned.lots]
    odd_index = turned.next_index if odd else None
    if odd_index is not None:
        exact[odd_index] += odd
    return allocation(
        Method.ROTATION, block, lines, turned.lots, exact, partial=False, odd_index=odd_index, rotation=turned.mark
    )


def _house_before_clients() -> NotAllocated:
    return NotAllocated(
        AllocationCode.HOUSE_BEFORE_CLIENTS,
        "The house's own accounts wait until clients have what was intended, unless the record proves that the house was needed.",
    )
