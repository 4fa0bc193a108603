"""What goes into an allocation and what comes out of it, or why nothing does. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from operator import lt
from typing import NamedTuple, overload
from uuid import UUID

from allocations.domain.block import Block, from_units, to_units
from allocations.domain.words import AllocationCode, BelowMinimum, Method, PartialFill
from kernel.columns import rows_of
from kernel.errors import InvariantBroken
from kernel.numbers import ZERO


class Line(NamedTuple):
    """One account's part in an allocation.

    ``amount``: what the method reads: a target, quantity or turn in units, a weight, a percentage, or a position to be reached.
    ``place``: where the line stands in an order of filling or a rotation. ``minimum``: the least it takes, in units. ``position``:
    what the account has now, signed. ``intended``: what was stamped for it before the first fill; None: nothing was.
    """

    account_id: UUID
    amount: Decimal
    place: int = 0
    minimum: Decimal = ZERO
    house: bool = False
    position: Decimal = ZERO
    intended: Decimal | None = None


class Lines(Sequence[Line]):
    """Lines as columns, in their order; a row is made only for who looks at one."""

    def __init__(
        self,
        account_ids: Sequence[UUID],
        amounts: Sequence[Decimal],
        places: Sequence[int],
        minimums: Sequence[Decimal],
        houses: Sequence[bool],
        positions: Sequence[Decimal],
        intended: Sequence[Decimal | None],
    ) -> None:
        self.account_ids, self.amounts, self.places, self.minimums = account_ids, amounts, places, minimums
        self.houses, self.positions, self.intended = houses, positions, intended

    @classmethod
    def of(cls, lines: Sequence[Line]) -> Lines:
        """The same lines by place, then account."""
        made = lines if isinstance(lines, cls) else _columns(lines)
        if isinstance(made.places, range) or all(map(lt, made.places, made.places[1:])):
            return made
        return _columns(sorted(made, key=lambda line: (line.place, line.account_id.int)))

    @cached_property
    def rows(self) -> list[Line]:
        """Line by line."""
        return rows_of(
            Line, self.account_ids, self.amounts, self.places, self.minimums, self.houses, self.positions, self.intended
        )

    def __len__(self) -> int:
        return len(self.account_ids)

    @overload
    def __getitem__(self, place: int) -> Line: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Line]: ...
    def __getitem__(self, place: int | slice) -> Line | Sequence[Line]:
        return self.rows[place]

    def __iter__(self) -> Iterator[Line]:
        return iter(self.rows)


def _columns(lines: Sequence[Line]) -> Lines:
    return Lines(*([getattr(line, name) for line in lines] for name in Line._fields))


class RotationMark(NamedTuple):
    """Whose turn it is, and how many units of that turn earlier blocks have used."""

    place: int
    account_id: UUID
    taken: Decimal = ZERO


class Turns(NamedTuple):
    """Where the rotation of ``scheme`` began in a block, and which block of it this is: one more than the one before.

    Kept with the block from its first booking on: booked again it begins there again, and the rotation goes on where the block that
    came last at first ended, whichever was booked again since.
    """

    scheme: str
    start: RotationMark | None
    nth: int


@dataclass(frozen=True, slots=True)
class Rules:
    """How a method is applied.

    ``house_needed``: the record proves that without the house the trade could not have been made on such terms, so that its
    accounts share a partial fill with clients (Regulation (EU) 2017/565, Article 69). ``price_places``: places the average price
    is rounded to before it becomes money; None: not at all. ``start``: where a rotation goes on.
    """

    partial: PartialFill = PartialFill.PRO_RATA
    below_minimum: BelowMinimum = BelowMinimum.ZERO
    house_needed: bool = False
    price_places: int | None = None
    start: RotationMark | None = None


class Share(NamedTuple):
    """What an account gets. ``exact``: its part before lots and minimum sizes, to eight places; what it would be by the method."""

    account_id: UUID
    qty: Decimal
    exact: Decimal
    house: bool = False

    @property
    def rounding(self) -> Decimal:
        """What lots and minimum sizes gave it (+) or took from it (-)."""
        return self.qty - self.exact


@dataclass(frozen=True)
class Allocation:
    """A block divided: one share a line, in the order of places and accounts; the quantities sum to the block.

    Shares are kept as columns: ``account_ids``, ``units`` and ``exact`` (of 10^-8), ``houses``. ``partial``: less was executed than the
    lines claim. ``odd``: what no whole lots could hold, in whose line it lies. ``rotation``: where the next block of the rotation goes
    on. ``seed``: what ties were broken by, in hex.
    """

    method: Method
    account_ids: Sequence[UUID]
    units: Sequence[int]
    exact: Sequence[int]
    houses: Sequence[bool]
    partial: bool
    seed: str
    odd: Decimal = ZERO
    odd_account_id: UUID | None = None
    rotation: RotationMark | None = None

    @cached_property
    def shares(self) -> tuple[Share, ...]:
        """What each line gets, one by one."""
        figures = map(from_units, self.units), map(from_units, self.exact)
        return tuple(rows_of(Share, self.account_ids, *figures, self.houses))


class LineFault(NamedTuple):
    """What is wrong with one line."""

    account_id: UUID
    code: AllocationCode
    sentence: str


@dataclass(frozen=True, slots=True)
class NotAllocated:
    """The block cannot be divided like this: why, and by which lines where it is theirs."""

    code: AllocationCode
    sentence: str
    faults: Sequence[LineFault] = ()


def allocation(
    method: Method,
    block: Block,
    lines: Lines,
    lots: Sequence[int],
    exact: Sequence[int],
    *,
    partial: bool,
    odd_index: int | None,
    rotation: RotationMark | None = None,
) -> Allocation:
    """The block divided: whole lots by line, what is no whole lot at one of them; ``exact`` in units of 10^-8."""
    lot = to_units(block.lot)
    units = [share * lot for share in lots]
    odd = to_units(block.qty) % lot
    if odd_index is not None:
        units[odd_index] += odd
    if sum(units) != to_units(block.qty):
        raise InvariantBroken("ALLOCATION_NOT_BLOCK", "The shares of an allocation do not sum to its block.")
    holder = lines.account_ids[odd_index] if odd_index is not None else None
    ids, houses = lines.account_ids, lines.houses
    return Allocation(method, ids, units, exact, houses, partial, block.seed.hex(), from_units(odd), holder, rotation)
