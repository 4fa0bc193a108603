"""Turns of whole lots, going on where the last block of the same rotation ended. Pure.

Every account gets its turn in units, one after the other by place, round and round until the block is used up. A turn that the
block cuts off is ended by the next block. What is no whole lot goes to the account whose turn it is and counts in no turn. Minimum
sizes do not apply: the turn is the size.

Invariant: over any sequence of blocks no account is ahead of another by more than one turn, each measured in its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allocations.domain.block import from_units, to_units
from allocations.domain.lines import Line, RotationMark


@dataclass(frozen=True, slots=True)
class Turned:
    """Lots by line, who is next after them, and at which index."""

    lots: list[int]
    mark: RotationMark
    next_index: int


def turn(lines: Sequence[Line], lots: int, lot: int, start: RotationMark | None) -> Turned:
    """``lots`` of ``lot`` units by turns. ``lines`` by place, each turn a whole number of lots, not all zero."""
    turns = [to_units(line.amount) // lot for line in lines]
    index, taken = _begin(lines, turns, lot, start)
    cycles, rest = divmod(lots + taken, sum(turns))
    shares = [cycles * size for size in turns]
    shares[index] -= taken
    while rest >= turns[index]:
        shares[index] += turns[index]
        rest -= turns[index]
        index = (index + 1) % len(lines)
    shares[index] += rest
    return Turned(shares, RotationMark(lines[index].place, lines[index].account_id, from_units(rest * lot)), index)


def _begin(lines: Sequence[Line], turns: Sequence[int], lot: int, start: RotationMark | None) -> tuple[int, int]:
    """The first line from the mark on that has a turn (the account may have left), and what of that turn is used."""
    if start is None:
        return next(index for index, size in enumerate(turns) if size), 0
    at = (start.place, start.account_id.int)
    ahead = [index for index, line in enumerate(lines) if (line.place, line.account_id.int) >= at]
    around = [*ahead, *range(len(lines) - len(ahead))]
    index = next(index for index in around if turns[index])
    taken = to_units(start.taken) // lot if lines[index].account_id == start.account_id else 0
    return index, taken if taken < turns[index] else 0
