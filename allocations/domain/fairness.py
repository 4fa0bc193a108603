"""Whether allocations were fair, over time: what each account got against what it was to get, and whether luck explains it. Pure.

*Cherry-picking*: trades that turned out well going to some accounts. Of every block the *outcome* is what its price gained by the
close (in basis points, for the side traded). Of every account the *surplus* is its share of the block less the share it was expected
to have: what was said beforehand, else its mean share over the desk's blocks of which nothing was said. If outcomes had nothing to do
with who got what, they could be dealt to the blocks of a stratum in any order. So they are, many times over (a seeded permutation
test): the p-value of an account is how often chance alone favours it as much. Blocks of one desk and day are a stratum, so a good day
for the market, or for all that an account trades in, favours nobody; blocks that are alone on their day form one stratum a desk.

*Changed after the price moved*: every share that was typed, or changed after the block was first divided, is a trial: did the account
win by it, given where the price had gone by then? Without foresight that is a coin: an exact sign test.

Both are one-sided, and corrected for the number of accounts by Holm's method: the chance that anybody at all is flagged in a period
without wrong-doing is at most ``ALPHA``, however many accounts there are. Tests measure that on random data. A flag is a question to
somebody, with its figures; it is not a verdict.

Integers throughout: outcomes in 10^-4 of a basis point, shares in millionths.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import comb
from operator import itemgetter, mul

ALPHA = Fraction(1, 100)
DEALS = 20_000
ENOUGH = 20
"""An account that chance has favoured as much so many times is not looked at any longer: its p-value is known well enough."""
LEAST_BLOCKS = 8
LEAST_TRIALS = 8
SHARE = 1_000_000


@dataclass(frozen=True, slots=True)
class Got:
    """What one account got of one block. ``expected``: what was said beforehand gives it; None: nothing was said.

    ``changed_by``: units it got more (+) or less (-) by a person's hand after the block was first divided.
    """

    account: str
    qty: Decimal
    expected: Decimal | None = None
    changed_by: Decimal = Decimal(0)
    px: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One block that was booked. ``stratum``: desk and day. Prices in the listing's unit; None where nobody knows.

    ``close_px``: of the trade date. ``px_when_changed``: when it was last divided by hand; ``day_px``: the average of all our executions of
    the listing, side and day.
    """

    block: str
    stratum: Hashable
    buys: bool
    qty: Decimal
    avg_px: Decimal
    got: tuple[Got, ...]
    close_px: Decimal | None = None
    day_px: Decimal | None = None
    px_when_changed: Decimal | None = None

    def gain(self, px: Decimal | None) -> int | None:
        """What the price has gained for the side since, in 10^-4 basis points."""
        if px is None or not self.avg_px:
            return None
        moved = (px - self.avg_px) if self.buys else (self.avg_px - px)
        return int(moved * 100_000_000 / self.avg_px)


@dataclass(slots=True)
class AccountRecord:
    """An account over the period.

    ``price_bp``: its price against the day's average, weighted by quantity, better is positive; ``against_block_bp``: against its
    blocks' own average, zero where all have the average price. ``filled``: of what was expected of the executed quantity, 1 is as
    said. ``gain_bp``: what its shares had gained by the close, weighted. ``surplus_gain_bp``: what its surplus gained a block, as part
    of a block. ``p``, ``p_changed``: None where there was too little to judge.
    """

    account: str
    blocks: int = 0
    qty: Decimal = Decimal(0)
    price_bp: Decimal | None = None
    against_block_bp: Decimal | None = None
    filled: Decimal | None = None
    gain_bp: Decimal | None = None
    surplus_gain_bp: Decimal | None = None
    p: Fraction | None = None
    trials: int = 0
    won: int = 0
    p_changed: Fraction | None = None
    flags: list[str] = field(default_factory=list)


CHERRY = "CHERRY_PICKING"
CHANGED = "CHANGED_AFTER_MOVE"


def examine(
    outcomes: Sequence[Outcome], *, seed: int, alpha: Fraction = ALPHA, deals: int = DEALS
) -> list[AccountRecord]:
    """Every account of the period, those with the smallest p-value first. ``seed`` of the permutations: of facts nobody chooses."""
    records = {account: AccountRecord(account) for one in outcomes for account in (got.account for got in one.got)}
    _describe(outcomes, records)
    surplus = surpluses(outcomes)
    gains = [one.gain(one.close_px) for one in outcomes]
    strata = _strata(outcomes, gains)
    tested = _tested(surplus, strata)
    for account, p in permutation_test(surplus, gains, strata, tested, seed=seed, deals=deals).items():
        records[account].p = p
    for account in surplus:
        _surplus_gain(records[account], surplus[account], gains)
    _sign_tests(outcomes, records)
    for account in holm({a: r.p for a, r in records.items() if r.p is not None}, alpha / 2):
        records[account].flags.append(CHERRY)
    for account in holm({a: r.p_changed for a, r in records.items() if r.p_changed is not None}, alpha / 2):
        records[account].flags.append(CHANGED)
    return sorted(records.values(), key=lambda one: (not one.flags, one.p if one.p is not None else 2, one.account))


def surpluses(outcomes: Sequence[Outcome]) -> dict[str, dict[int, int]]:
    """By account and index of the block: its share less the share it was expected to have, in millionths."""
    unsaid: dict[tuple[Hashable, str], list[int]] = defaultdict(list)
    blocks_unsaid: dict[Hashable, list[int]] = defaultdict(list)
    shares: dict[tuple[int, str], int] = {}
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for index, one in enumerate(outcomes):
        said = any(got.expected is not None for got in one.got)
        if not said:
            blocks_unsaid[_desk(one)].append(index)
        for got in one.got:
            share = _share(got.qty, one.qty)
            if said:
                found[got.account][index] = share - _share(got.expected or Decimal(0), one.qty)
            else:
                shares[index, got.account] = share
                unsaid[_desk(one), got.account].append(share)
    for (desk, account), had in unsaid.items():
        mean = sum(had) // len(blocks_unsaid[desk])
        for index in blocks_unsaid[desk]:
            found[account][index] = shares.get((index, account), 0) - mean
    return found


def _desk(one: Outcome) -> Hashable:
    return one.stratum[0] if isinstance(one.stratum, tuple) else one.stratum


def _share(part: Decimal, whole: Decimal) -> int:
    return int(part * SHARE / whole) if whole else 0


def _strata(outcomes: Sequence[Outcome], gains: Sequence[int | None]) -> list[list[int]]:
    """Indexes of blocks whose outcomes may change places: of one desk and day, those alone on their day together."""
    by_day: dict[Hashable, list[int]] = defaultdict(list)
    for index, one in enumerate(outcomes):
        if gains[index] is not None:
            by_day[one.stratum].append(index)
    alone: dict[Hashable, list[int]] = defaultdict(list)
    strata = []
    for indexes in by_day.values():
        if len(indexes) > 1:
            strata.append(indexes)
        else:
            alone[_desk(outcomes[indexes[0]])] += indexes
    return strata + [indexes for indexes in alone.values() if len(indexes) > 1]


def _tested(surplus: Mapping[str, Mapping[int, int]], strata: Sequence[Sequence[int]]) -> list[str]:
    """Accounts with enough blocks in which they got something else than expected, where outcomes can change places."""
    placed = {index for indexes in strata for index in indexes}
    return sorted(
        account
        for account, of in surplus.items()
        if sum(1 for index, value in of.items() if value and index in placed) >= LEAST_BLOCKS
    )


def permutation_test(
    surplus: Mapping[str, Mapping[int, int]],
    gains: Sequence[int | None],
    strata: Sequence[Sequence[int]],
    accounts: Sequence[str],
    *,
    seed: int,
    deals: int,
) -> dict[str, Fraction]:
    """How often outcomes dealt at random within each stratum favour the account as much as those there were (one-sided).

    Sequential: an account that is clearly not favoured is dropped after ``ENOUGH`` hits, which keeps the p-value valid (Besag and
    Clifford).
    """
    chance = random.Random(seed)  # noqa: S311 - a reproducible shuffle, no secret
    dealt = [gain or 0 for gain in gains]
    pools = [[dealt[index] for index in indexes] for indexes in strata]
    weights = {account: tuple(surplus[account].values()) for account in accounts}
    places = {account: itemgetter(*surplus[account]) for account in accounts}
    real = {account: sum(map(mul, weights[account], places[account](dealt))) for account in accounts}
    hits = dict.fromkeys(accounts, 0)
    result: dict[str, Fraction] = {}
    live, needed = list(accounts), _needed(surplus, accounts, strata)
    for number in range(1, deals + 1):
        if not live:
            break
        for pool, indexes in zip(pools, needed, strict=True):
            for index, value in zip(indexes, chance.sample(pool, len(indexes)), strict=True):
                dealt[index] = value
        for account in live:
            hits[account] += sum(map(mul, weights[account], places[account](dealt))) >= real[account]
            if hits[account] == ENOUGH:
                result[account] = Fraction(ENOUGH, number)
        if any(account in result for account in live):
            live = [account for account in live if account not in result]
            needed = _needed(surplus, live, strata)
    return {account: result.get(account, Fraction(hits[account] + 1, deals + 1)) for account in accounts}


def _needed(
    surplus: Mapping[str, Mapping[int, int]], accounts: Sequence[str], strata: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Of each stratum the blocks that any of the accounts has a surplus in: only these need an outcome dealt to them."""
    wanted = {index for account in accounts for index in surplus[account]}
    return [[index for index in indexes if index in wanted] for indexes in strata]


def sign_test(won: int, trials: int) -> Fraction:
    """The chance of at least so many heads of a fair coin."""
    return Fraction(sum(comb(trials, heads) for heads in range(won, trials + 1)), 2**trials)


def holm(p_values: Mapping[str, Fraction], alpha: Fraction) -> list[str]:
    """Whom Holm's step-down method rejects at a family-wise level, smallest first."""
    found = []
    ordered = sorted(p_values.items(), key=lambda item: (item[1], item[0]))
    for place, (name, p) in enumerate(ordered):
        if p > alpha / (len(ordered) - place):
            break
        found.append(name)
    return found


def _sign_tests(outcomes: Sequence[Outcome], records: Mapping[str, AccountRecord]) -> None:
    for one in outcomes:
        gain = one.gain(one.px_when_changed)
        if not gain:
            continue
        for got in one.got:
            if got.changed_by:
                record = records[got.account]
                record.trials += 1
                record.won += (got.changed_by > 0) == (gain > 0)
    for record in records.values():
        if record.trials >= LEAST_TRIALS:
            record.p_changed = sign_test(record.won, record.trials)


def _surplus_gain(record: AccountRecord, surplus: Mapping[int, int], gains: Sequence[int | None]) -> None:
    """What the surplus gained by the close, as basis points of a block."""
    known = [(value, gain) for index, value in surplus.items() if (gain := gains[index]) is not None]
    if known:
        total = sum(value * gain for value, gain in known)
        record.surplus_gain_bp = Decimal(total) / SHARE / 10_000 / len(known)


def _describe(outcomes: Sequence[Outcome], records: Mapping[str, AccountRecord]) -> None:
    """The figures that are shown and not tested: price, fill and gain of each account, weighted by quantity."""
    price, block_price, gain = _Mean(), _Mean(), _Mean()
    expected: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for one in outcomes:
        for got in one.got:
            record = records[got.account]
            record.blocks += 1
            record.qty += got.qty
            paid = got.px if got.px is not None else one.avg_px
            price.add(got.account, got.qty, _advantage(one.buys, paid, one.day_px))
            block_price.add(got.account, got.qty, _advantage(one.buys, paid, one.avg_px))
            moved = one.gain(one.close_px)
            gain.add(got.account, got.qty, None if moved is None else Decimal(moved) / 10_000)
            if got.expected is not None:
                sums = expected[got.account]
                sums[0] += got.qty
                sums[1] += got.expected
    for account, record in records.items():
        record.price_bp = price.of(account)
        record.against_block_bp = block_price.of(account)
        record.gain_bp = gain.of(account)
        got_qty, wanted = expected[account]
        record.filled = got_qty / wanted if wanted else None


def _advantage(buys: bool, paid: Decimal, usual: Decimal | None) -> Decimal | None:
    """How much better than usual, in basis points."""
    if not usual:
        return None
    better = usual - paid if buys else paid - usual
    return better * 10_000 / usual


class _Mean:
    """Means by name, weighted."""

    def __init__(self) -> None:
        self.sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])

    def add(self, name: str, weight: Decimal, value: Decimal | None) -> None:
        if value is not None:
            self.sums[name][0] += weight * value
            self.sums[name][1] += weight

    def of(self, name: str) -> Decimal | None:
        total, weight = self.sums[name]
        return total / weight if weight else None
