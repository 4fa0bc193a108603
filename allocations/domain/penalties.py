"""What a depository is likely to charge for a fail, by dated rates. Pure; published ones are ``data/penalty_rates.csv``, and two people
may set another for a market and kind of instrument, which then counts for days of settlement from its first on.

An estimate, never a booking: the depository's own statement says what is charged and distributed. Each settlement day that a matched
instruction is open from its day of settlement on costs so many basis points of the open units at the reference price. Who fails pays
and the other side gets it; who that is follows from the custodian's reason (LACK and MONY: we; CLAC and CMON: they), and without one
of these it is who delivers. What fails for want of cash is charged by the overnight rate of the central bank, which the house does not
have: of those, and where no rate or price is known, nothing is estimated and the reason says so.

House assumption: the price of now for all days; what has settled in the meantime is no part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from allocations.domain.instructing import DELIVER
from kernel.numbers import ZERO, parse_decimal, round_money

COLUMNS = ("mic", "asset_class", "valid_from", "valid_to", "bps", "source")
OURS, THEIRS = frozenset({"LACK", "MONY"}), frozenset({"CLAC", "CMON"})
CASH = frozenset({"MONY", "CMON"})
MOST_BPS = Decimal(100)
_WHOLE = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class PenaltyRate:
    """Basis points a settlement day, for settlement dates from ``valid_from`` to ``valid_to``, on a market and an asset class."""

    mic: str
    asset_class: str
    valid_from: date
    valid_to: date | None
    bps: Decimal
    source: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Fail:
    """An open instruction whose day has passed: ``days`` settlement days ago; ``price`` of a unit in ``currency``, None: unknown."""

    delivery: str
    open_qty: Decimal
    days: int
    reason_code: str
    currency: str
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Penalty:
    """``amount`` is signed: below zero we owe it. None where nothing can be estimated; ``why`` says by what, or why not."""

    amount: Decimal | None
    why: str


def parse_rates(rows: Iterable[Mapping[str, str]]) -> tuple[PenaltyRate, ...]:
    """The lines of the file. Raises ValueError naming the row that cannot be read."""
    rates = []
    for number, row in enumerate(rows, start=2):
        bps = parse_decimal(row["bps"])
        if bps is None or not ZERO <= bps <= MOST_BPS or not row["source"] or not row["asset_class"]:
            raise ValueError(f"penalty_rates.csv, row {number}: bps, asset class or source cannot be read")
        try:
            begin = date.fromisoformat(row["valid_from"])
            until = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
        except ValueError as error:
            raise ValueError(f"penalty_rates.csv, row {number}: {error}") from error
        rates.append(PenaltyRate(row["mic"], row["asset_class"], begin, until, bps, row["source"]))
    return tuple(rates)


def rate_for(rates: Sequence[PenaltyRate], *, mic: str, asset_class: str, settlement_date: date) -> PenaltyRate | None:
    """The rate in force on the day of settlement: the newest version of the house, else the latest that is published (version 0)."""
    found = [
        rate
        for rate in rates
        if (rate.mic, rate.asset_class) == (mic, asset_class)
        and rate.valid_from <= settlement_date
        and (rate.valid_to is None or settlement_date <= rate.valid_to)
    ]
    return max(found, key=lambda rate: (rate.version, rate.valid_from), default=None)


def we_fail(fail: Fail) -> bool:
    """Whether it is ours to pay."""
    if fail.reason_code in OURS | THEIRS:
        return fail.reason_code in OURS
    return fail.delivery == DELIVER


def estimate(fail: Fail, rate: PenaltyRate | None) -> Penalty:
    """What the days so far come to."""
    if fail.days <= 0:
        return Penalty(ZERO, "Its day is not over.")
    if rate is None:
        return Penalty(None, "No penalty is known for its market and kind of instrument.")
    if fail.reason_code in CASH:
        return Penalty(
            None,
            "It fails for want of cash: charged by the overnight rate of the central bank, which is not known here.",
        )
    if fail.price is None:
        return Penalty(None, "It has no reference price.")
    amount = round_money(fail.open_qty * fail.price * rate.bps * fail.days / _WHOLE, fail.currency)
    return Penalty(-amount if we_fail(fail) else amount, rate.source)
