"""One block divided among accounts: the decision itself. Pure, integer, and the same for the same block, lines and rules.

1. What the lines claim (``claims``). 2. When less was executed than they claim, clients come before the house's own accounts,
unless the record proves that the house was needed. 3. Whole lots, by the policy, with minimum sizes (``apportion``). 4. What is
no whole lot goes whole to one line: whose share is furthest below its exact part, or, filling in order, whose turn it is.

Invariants: the shares sum to the block; every share is a whole number of lots, but for the one that holds the rest; the order in
which lines are handed in changes nothing; by methods that claim quantities nobody gets a whole lot more than was claimed.
Whatever cannot be done is a refusal that says why. Nothing is dropped and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from allocations.domain.apportion import (
    Rank,
    apportion,
    in_order,
    largest,
    minimum_first,
    rank_of,
    with_minimums,
    without_small,
)
from allocations.domain.block import Block, from_units, half_even, to_units
from allocations.domain.claims import Claims, claims_of, faults_of
from allocations.domain.lines import Allocation, Line, Lines, NotAllocated, Rules, allocation
from allocations.domain.stated import as_typed, in_turns
from allocations.domain.words import CAPPED, AllocationCode, BelowMinimum, Method, PartialFill
from kernel.columns import looked_up
from kernel.numbers import plain


def allocate(
    method: Method, block: Block, lines: Sequence[Line], rules: Rules | None = None
) -> Allocation | NotAllocated:
    """Divide a block. ``rules.start`` matters to rotations alone."""
    rules = rules or Rules()
    if not lines:
        return NotAllocated(AllocationCode.NO_LINES, "Nobody is named to allocate to.")
    if block.qty <= 0:
        return NotAllocated(
            AllocationCode.NOTHING_EXECUTED, "Nothing of the block is executed: nothing can be allocated."
        )
    ordered = Lines.of(lines)
    faults = faults_of(method, block, ordered, rules)
    if faults:
        count = len({fault.account_id for fault in faults})
        names = "a line is" if count == 1 else f"{count} lines are"
        return NotAllocated(AllocationCode.LINES_AT_FAULT, f"Nothing is allocated while {names} at fault.", faults)
    if method is Method.MANUAL:
        return as_typed(block, ordered, rules)
    if method is Method.ROTATION:
        return in_turns(block, ordered, rules)
    claims = claims_of(method, block, ordered)
    if isinstance(claims, NotAllocated):
        return claims
    return _Case(method, block, ordered, rules, claims).decide()


class _Case:
    """A method that computes, on one block: what everybody claims, and what they get."""

    def __init__(self, method: Method, block: Block, lines: Lines, rules: Rules, claims: Claims) -> None:
        self.method, self.block, self.lines, self.rules, self.claims = method, block, lines, rules, claims
        self.qty, self.lot = to_units(block.qty), to_units(block.lot)
        self.full = self.qty * claims.per_unit
        self.claimed_lot = self.lot * claims.per_unit
        ignored = rules.below_minimum is BelowMinimum.IGNORE
        plainly = ignored or not any(lines.minimums)
        self.minimums = [0] * len(lines) if plainly else [to_units(one) for one in lines.minimums]
        self.lots, self.exact = [0] * len(lines), [0] * len(lines)

    def decide(self) -> Allocation | NotAllocated:
        over = self.full - self.claims.total
        if over > 0 and self.method in CAPPED:
            return NotAllocated(
                AllocationCode.BLOCK_ABOVE_TARGETS,
                f"The block is {plain(from_units(over))} more than all lines claim: nobody asked for that part.",
            )
        odd_index = self._exactly()
        if odd_index is not None:
            return self._allocation(odd_index if self.qty % self.lot else None)
        refused = self._spread()
        if refused is not None:
            return refused
        if not self.qty % self.lot:
            return self._allocation(None)
        odd_index = self._odd_receiver()
        if odd_index is None:
            return NotAllocated(
                AllocationCode.ODD_REST_FITS_NOBODY,
                f"{plain(from_units(self.qty % self.lot))} is no whole lot and less than what any line that could hold it takes.",
            )
        return self._allocation(odd_index)

    def _exactly(self) -> int | None:
        """Everybody gets the claim, where the claims are the block and whole lots but for one line: its index (or the first)."""
        if self.claims.total != self.full:
            return None
        values = self.claims.values
        broken = list(islice((index for index, claim in enumerate(values) if claim % self.claimed_lot), 2))
        small = (0 < claim < least * self.claims.per_unit for claim, least in zip(values, self.minimums, strict=True))
        if len(broken) > 1 or any(small):
            return None
        self.lots = [claim // self.claimed_lot for claim in values]
        self.exact = [claim // self.claims.per_unit for claim in values]
        return broken[0] if broken else 0

    def _tiers(self) -> list[list[int]]:
        """Clients before the house when less was executed than is claimed; else all lines at once. By index."""
        everybody = list(range(len(self.lines)))
        house = [index for index, is_house in enumerate(self.lines.houses) if is_house]
        if self.claims.total <= self.full or self.rules.house_needed or len(house) in (0, len(everybody)):
            return [everybody]
        return [[index for index in everybody if not self.lines.houses[index]], house]

    def _spread(self) -> NotAllocated | None:
        tiers = self._tiers()
        lots_left, part_left = self.full // self.claimed_lot, self.full
        for tier in tiers:
            claims = looked_up(self.claims.values, tier)
            total = sum(claims)
            part = part_left if tier is tiers[-1] else min(part_left, total)
            lots = min(lots_left, -(-part // self.claimed_lot))
            if not total:
                continue
            shares = self._shares(tier, claims, lots)
            if isinstance(shares, NotAllocated):
                return shares
            by = total * self.claims.per_unit
            exact = {claim: half_even(claim * part, by) for claim in set(claims)}
            if len(tier) == len(self.lines):
                self.lots, self.exact = shares, looked_up(exact, claims)
            else:
                for index, claim, share in zip(tier, claims, shares, strict=True):
                    self.lots[index], self.exact[index] = share, exact[claim]
            lots_left, part_left = lots_left - lots, part_left - part
        return None

    def _shares(self, tier: list[int], claims: list[int], lots: int) -> list[int] | NotAllocated:
        """The lots of one tier by the policy. Policies other than pro rata are for part of what is claimed."""
        rank = self._rank(tier)
        least = [-(-one // self.lot) if one else 0 for one in looked_up(self.minimums, tier)]
        policy = self.rules.partial if sum(claims) > lots * self.claimed_lot else PartialFill.PRO_RATA
        shares: list[int] | None
        if policy is PartialFill.IN_ORDER:
            shares = in_order(lots, claims, least, self.claimed_lot)
        elif policy is PartialFill.MINIMUM_FIRST:
            shares = minimum_first(lots, claims, least, self.claimed_lot, rank)
        elif self.rules.below_minimum is BelowMinimum.RAISE and any(least):
            shares = with_minimums(lots, claims, least, rank)
        else:
            kept = without_small(lots, claims, least, rank) if any(least) and lots else claims
            shares = apportion(lots, kept, rank) if any(kept) else None
            if self.method in CAPPED and sum(kept) <= (lots - 1) * self.claimed_lot:
                return _rest(lots, -(-sum(kept) // self.claimed_lot), self.lot)
        if shares is None:
            return NotAllocated(
                AllocationCode.MINIMUMS_NOT_MET,
                f"{plain(from_units(lots * self.lot))} to divide is too little for the least that the lines take.",
            )
        return shares if sum(shares) == lots else _rest(lots, sum(shares), self.lot)

    def _rank(self, tier: list[int]) -> Rank:
        return rank_of(self.block.seed, [self.lines.account_ids[index] for index in tier])

    def _odd_receiver(self) -> int | None:
        """Who holds what is no whole lot: the line whose share is furthest below its exact part; in order: the first not full."""
        odd = self.qty % self.lot
        fits = [
            index
            for index, share in enumerate(self.lots)
            if self.exact[index] and share * self.lot + odd >= self.minimums[index]
        ]
        if self.rules.partial is PartialFill.IN_ORDER and self.claims.total > self.full:
            open_lines = (i for i in fits if self.lots[i] * self.claimed_lot < self.claims.values[i])
            return next(open_lines, None)
        if not fits:
            return None
        short = [self.exact[index] - self.lots[index] * self.lot for index in fits]
        return fits[largest(short, 1, self._rank(fits))[0]]

    def _allocation(self, odd_index: int | None) -> Allocation:
        partial = self.claims.total > self.full
        return allocation(
            self.method, self.block, self.lines, self.lots, self.exact, partial=partial, odd_index=odd_index
        )


def _rest(lots: int, fit: int, lot: int) -> NotAllocated:
    return NotAllocated(
        AllocationCode.MINIMUMS_LEAVE_A_REST,
        f"{plain(from_units((lots - fit) * lot))} would be left that fits no line: too small for some, more than the others claim.",
    )
