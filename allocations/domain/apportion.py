"""Whole things divided in proportion to claims: largest remainder, ties by a seed, and what minimum sizes do to it. Pure.

Claims are integers over one denominator that does not matter here. Every share is the exact one rounded down or up to a whole
lot; the lots that rounding down leaves go one each to the largest remainders. Equal remainders are put in order by a digest of
seed and account, so nobody's place in a list counts.

Invariants: the shares sum to the lots; a larger claim never gets less than a smaller one of the same minimum; the order of the
lines changes nothing; the work is bounded by one sort of the lines, whatever minimums they have.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from uuid import UUID

from kernel.columns import looked_up

Rank = Callable[[int], bytes]
"""The place of a line among equals, by its index."""


def rank_of(seed: bytes, accounts: Sequence[UUID]) -> Rank:
    """Ranks by digest of seed and account; computed only for lines that are tied."""

    def rank(index: int) -> bytes:
        return hashlib.blake2b(accounts[index].bytes, key=seed[:32], digest_size=16).digest()

    return rank


def apportion(lots: int, claims: Sequence[int], rank: Rank) -> list[int]:
    """``lots`` in proportion to ``claims`` (not negative, not all zero)."""
    total = sum(claims)
    parts = {claim: divmod(claim * lots, total) for claim in set(claims)}
    shares = looked_up({claim: whole for claim, (whole, _) in parts.items()}, claims)
    left = lots - sum(shares)
    if left:
        rests = looked_up({claim: rest for claim, (_, rest) in parts.items()}, claims)
        for index in largest(rests, left, rank):
            shares[index] += 1
    return shares


def largest(values: Sequence[int], count: int, rank: Rank) -> list[int]:
    """Indexes of the ``count`` largest values; of those equal to the last, the first by rank."""
    order = sorted(range(len(values)), key=values.__getitem__, reverse=True)
    edge = values[order[count - 1]]
    if count == len(order) or values[order[count]] != edge:
        return order[:count]
    sure = [index for index in order[:count] if values[index] > edge]
    tied = sorted((index for index in order if values[index] == edge), key=rank)
    return sure + tied[: count - len(sure)]


def ranked(indexes: Iterable[int], values: Sequence[int], rank: Rank) -> list[int]:
    """Smallest values first, equals by rank."""
    found: list[int] = []
    for _, equals in groupby(sorted(indexes, key=values.__getitem__), key=values.__getitem__):
        tied = list(equals)
        found += sorted(tied, key=rank) if len(tied) > 1 else tied
    return found


def by_claim(claims: Sequence[int], rank: Rank) -> list[int]:
    """Those who claim anything, largest first, equals by rank."""
    return ranked((index for index, claim in enumerate(claims) if claim), [-claim for claim in claims], rank)


def by_reach(claims: Sequence[int], minimums: Sequence[int], rank: Rank) -> list[int]:
    """Lines with a minimum, those whose claim reaches least far towards it first, equals by rank.

    Two quotients with denominators up to m differ by 1/m^2 or not at all, so rounded down after that factor they keep their order.
    """
    factor = max(minimums) ** 2
    reach = [claim * factor // least if least else 0 for claim, least in zip(claims, minimums, strict=True)]
    return ranked((index for index, least in enumerate(minimums) if least and claims[index]), reach, rank)


def without_small(lots: int, claims: Sequence[int], minimums: Sequence[int], rank: Rank) -> list[int]:
    """The claims that are left when lines whose exact share is below their minimum get nothing, one after the other.

    Each that goes makes the shares of the others larger, so whoever reaches its minimum is safe and the rest of the line is too.
    """
    kept, total = list(claims), sum(claims)
    for index in by_reach(claims, minimums, rank):
        if claims[index] * lots >= minimums[index] * total:
            break
        kept[index] = 0
        total -= claims[index]
    return kept


def with_minimums(lots: int, claims: Sequence[int], minimums: Sequence[int], rank: Rank) -> list[int] | None:
    """Shares when lines whose exact share is below their minimum get it, at the expense of the rest. None: not enough lots."""
    shares, open_claims = [0] * len(claims), list(claims)
    left, total = lots, sum(claims)
    for index in by_reach(claims, minimums, rank):
        if claims[index] * left >= minimums[index] * total:
            break
        shares[index] = minimums[index]
        open_claims[index] = 0
        left -= minimums[index]
        total -= claims[index]
        if left < 0:
            return None
    if left:
        shares = [had + more for had, more in zip(shares, apportion(left, open_claims, rank), strict=True)]
    return shares


def in_order(lots: int, claims: Sequence[int], minimums: Sequence[int], lot: int) -> list[int]:
    """Claims (``lot`` of them make a lot) in full, one line after the other; a part below its minimum is passed on.

    A claim that is no whole number of lots is rounded where the running sum of all claims is: each is within one lot of it. What
    is passed on by everybody is missing from the sum.
    """
    shares, left, running, given = [], lots, 0, 0
    for claim, least in zip(claims, minimums, strict=True):
        running += claim
        wanted = running // lot - given
        given += wanted
        share = min(wanted, left)
        if share < least:
            share = 0
        shares.append(share)
        left -= share
    return shares


def minimum_first(lots: int, claims: Sequence[int], minimums: Sequence[int], lot: int, rank: Rank) -> list[int]:
    """Every minimum as far as the lots reach, largest claims first; then the rest in proportion to what is open of them.

    A line whose minimum cannot be met gets nothing. What fits nobody is missing from the sum.
    """
    shares, opened, left = [0] * len(claims), [0] * len(claims), lots
    for index in by_claim(claims, rank):
        if minimums[index] <= left:
            shares[index] = minimums[index]
            opened[index] = max(0, claims[index] - minimums[index] * lot)
            left -= minimums[index]
    fits = min(left, sum(opened) // lot)
    if fits:
        shares = [had + more for had, more in zip(shares, apportion(fits, opened, rank), strict=True)]
    return shares
