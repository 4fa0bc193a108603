"""What each line claims of a block, by method, and what is wrong with lines. Pure.

A claim is an integer over ``Claims.per_unit``: claims of one block are exact and add up exactly, whatever percentages or weights
they came from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from allocations.domain.block import SCALE, UNITS, Block, NotInUnits, to_units
from allocations.domain.lines import Line, LineFault, Lines, NotAllocated, Rules
from allocations.domain.words import CAPPED, AllocationCode, BelowMinimum, Method
from kernel.columns import worked_out
from kernel.numbers import plain

PERCENT = 100 * UNITS


@dataclass(frozen=True, slots=True)
class Claims:
    """Of each line ``values / per_unit`` units of 10^-8; together ``total / per_unit``."""

    values: list[int]
    per_unit: int
    total: int


def claims_of(method: Method, block: Block, lines: Lines) -> Claims | NotAllocated:
    """What the lines claim by a method that computes; lines without faults."""
    amounts = worked_out(to_units, lines.amounts)
    intended = to_units(block.intended_qty)
    total = sum(amounts)
    if method is Method.WEIGHTS and total:
        return _claims(worked_out(intended.__mul__, amounts), total)
    if method is Method.PERCENTAGE:
        if total != PERCENT:
            return _not_100(lines)
        return _claims(worked_out(intended.__mul__, amounts), PERCENT)
    if method is Method.TARGET_POSITION:
        sign = 1 if block.side.is_buy else -1
        needs = [sign * (amount - to_units(line.position)) for amount, line in zip(amounts, lines, strict=True)]
        amounts = [
            need if need >= max(1, to_units(line.minimum)) else 0 for need, line in zip(needs, lines, strict=True)
        ]
    return _claims(amounts, 1)


def _claims(values: list[int], per_unit: int) -> Claims | NotAllocated:
    total = sum(values)
    if not total:
        return NotAllocated(AllocationCode.NOTHING_CLAIMED, "No line claims anything of this block.")
    return Claims(values, per_unit, total)


def _not_100(lines: Sequence[Line]) -> NotAllocated:
    total = sum((line.amount for line in lines), Decimal(0))
    return NotAllocated(
        AllocationCode.PERCENT_NOT_100,
        f"The percentages sum to {plain(total)}, not to 100: {plain(100 - total)} is missing.",
    )


def faults_of(method: Method, block: Block, lines: Lines, rules: Rules) -> list[LineFault]:
    """Everything that is wrong with single lines, whoever else is in the block."""
    found = _figure_faults(method, lines)
    if found:
        return found
    lot = to_units(block.lot)
    if method in (Method.FIXED, Method.MANUAL, Method.ROTATION):
        found += _lot_faults(method, lines, lot, to_units(block.qty) % lot)
    if rules.below_minimum is not BelowMinimum.IGNORE:
        found += _size_faults(method, lines)
    return found


def _fault(line: Line, code: AllocationCode, sentence: str) -> LineFault:
    return LineFault(line.account_id, code, sentence)


def _figure_faults(method: Method, lines: Lines) -> list[LineFault]:
    """Accounts named twice and figures that cannot be. Looks at single lines only when the whole is not as it should be."""
    positions = method is Method.TARGET_POSITION
    try:
        least = 0 if positions else min(to_units(amount) for amount in set(lines.amounts))
        sizes = set(lines.minimums)
        least = min(least, *(to_units(size) for size in sizes), 0)
        for line in lines if positions else ():
            to_units(line.amount), to_units(line.position)
        if least >= 0 and len({one.int for one in lines.account_ids}) == len(lines):
            return []
    except NotInUnits:
        pass
    counted = Counter(line.account_id for line in lines)
    return [fault for line in lines for fault in _line_faults(line, counted[line.account_id] > 1, positions)]


def _line_faults(line: Line, twice: bool, positions: bool) -> Iterator[LineFault]:
    if twice:
        yield _fault(line, AllocationCode.DUPLICATE_ACCOUNT, "The account is in the block twice.")
    if line.minimum < 0 or (line.amount < 0 and not positions):
        yield _fault(line, AllocationCode.AMOUNT_NEGATIVE, "A line is never negative: its side is that of the block.")
    try:
        to_units(line.amount), to_units(line.minimum), to_units(line.position)
    except NotInUnits:
        yield _fault(line, AllocationCode.AMOUNT_TOO_FINE, f"A figure has at most {SCALE} places.")


def _lot_faults(method: Method, lines: Sequence[Line], lot: int, odd: int) -> list[LineFault]:
    """Stated quantities come in whole lots, but for one line that holds exactly what the block has beyond whole lots."""
    if method is Method.ROTATION:
        odd = 0
    broken = [line for line in lines if to_units(line.amount) % lot]
    if len(broken) == 1 and odd and to_units(broken[0].amount) % lot == odd:
        return []
    size = plain(Decimal(lot) / UNITS)
    return [
        _fault(line, AllocationCode.NOT_WHOLE_LOTS, f"{plain(line.amount)} is no whole number of lots of {size}.")
        for line in broken
    ]


def _size_faults(method: Method, lines: Sequence[Line]) -> list[LineFault]:
    """A stated quantity below the least the account takes. A need below it is no fault: nothing is needed then."""
    if method is not Method.MANUAL and (method not in CAPPED or method is Method.TARGET_POSITION):
        return []
    return [
        _fault(
            line,
            AllocationCode.TARGET_BELOW_MINIMUM,
            f"{plain(line.amount)} is less than the account takes at least, {plain(line.minimum)}.",
        )
        for line in lines
        if 0 < line.amount < line.minimum
    ]
