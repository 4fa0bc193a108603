"""What open fails are likely to cost or bring, of those that an actor sees: read on demand, kept nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from allocations import models
from allocations.domain import transitions as moves
from allocations.domain.buy_in import age_in_days
from allocations.domain.penalties import COLUMNS, Fail, Penalty, PenaltyRate, estimate, parse_rates, rate_for
from allocations.models import SettlementInstruction
from allocations.selectors.settlement import visible_instructions
from authorisation.domain.principal import Principal
from kernel.errors import InvariantBroken
from kernel.numbers import ZERO
from refdata.domain.import_rows import read_rows
from refdata.selectors import get_market_clock

FILE = Path(__file__).resolve().parents[1] / "data" / "penalty_rates.csv"
MOST = 5000
"""Fails that are looked at; a house with more has another matter than penalties."""
_FAILING = (moves.INSTRUCTED, moves.MATCHED, moves.PENDING, moves.PARTIAL, moves.FAILED)


@dataclass(slots=True)
class PenaltySum:
    """What is estimated in one currency: to pay (below zero), to get, how many fails it is of, and how many have no estimate."""

    currency: str
    to_pay: Decimal = ZERO
    to_get: Decimal = ZERO
    count: int = 0
    unknown: int = 0


@cache
def published_rates() -> tuple[PenaltyRate, ...]:
    """Every dated line. Raises InvariantBroken PENALTY_RATES_FAULTY when our own file cannot be read."""
    rows, issues = read_rows(FILE.read_text(encoding="utf-8"), COLUMNS)
    if issues:
        raise InvariantBroken("PENALTY_RATES_FAULTY", issues[0].sentence)
    try:
        return parse_rates(rows)
    except ValueError as error:
        raise InvariantBroken("PENALTY_RATES_FAULTY", str(error)) from error


def rates_in_force() -> list[PenaltyRate]:
    """The published ones, and every version of those of the house: they are few."""
    rows = models.PenaltyRate.objects.order_by("id")
    house = [PenaltyRate(r.mic, r.asset_class, r.valid_from, None, r.bps, r.source, r.version) for r in rows]
    return [*published_rates(), *house]


def penalty_of(row: SettlementInstruction, *, at: datetime, rates: Sequence[PenaltyRate]) -> Penalty | None:
    """Of one whose day has passed and that its custodian has; None of others. ``row`` as ``visible_instructions`` reads it."""
    if row.state not in _FAILING:
        return None
    listing = row.allocation.block.listing
    clock = get_market_clock(listing.market_id)
    days = age_in_days(row.settlement_date, clock.local_date(at), clock.settlement_holidays)
    if days <= 0:
        return None
    priced = getattr(listing, "referenceprice", None)
    price = priced.last / listing.price_divisor if priced is not None and listing.currency == row.currency else None
    rate = rate_for(
        rates, mic=listing.market_id, asset_class=listing.instrument.asset_class, settlement_date=row.settlement_date
    )
    return estimate(Fail(row.delivery, row.open_qty, days, row.reason_code, row.currency, price), rate)


def sum_penalties(actor: Principal, *, at: datetime) -> list[PenaltySum]:
    """By currency, of all fails that the actor sees on markets with a rate."""
    rates = rates_in_force()
    mics = {rate.mic for rate in rates}
    rows = visible_instructions(actor).filter(
        state__in=_FAILING, settlement_date__lt=at.date(), allocation__block__listing__market_id__in=mics
    )
    found: dict[str, PenaltySum] = {}
    wanted = rows.select_related("allocation__block__listing__instrument", "allocation__block__listing__referenceprice")
    for row in wanted.order_by("settlement_date", "ref")[:MOST]:
        _add(found, row, penalty_of(row, at=at, rates=rates))
    return [found[currency] for currency in sorted(found)]


def _add(found: dict[str, PenaltySum], row: SettlementInstruction, penalty: Penalty | None) -> None:
    if penalty is None:
        return
    line = found.setdefault(row.currency, PenaltySum(row.currency))
    if penalty.amount is None:
        line.unknown += 1
        return
    line.count += 1
    if penalty.amount < ZERO:
        line.to_pay += penalty.amount
    else:
        line.to_get += penalty.amount
