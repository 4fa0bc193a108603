"""Foreign exchange: what an amount in one currency is worth in another, and when that cannot be said. Pure.

Invariants: a rate is used as quoted, inverted, or as a cross of two over one third currency, never otherwise; a rate older
than the age its source stands for is not used, and neither is one from the future; what cannot be converted is refused
with a code, never taken at one to one. Rounding is named by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from kernel.errors import Refused
from kernel.numbers import Money, Rounding, round_as

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class FxQuote:
    """One ``base`` is worth ``rate`` of ``quote``, as ``source`` said at ``quoted_at``; good for ``max_age``."""

    base: str
    quote: str
    rate: Decimal
    source: str
    quoted_at: datetime
    max_age: timedelta

    def is_good(self, at: datetime) -> bool:
        """Whether it may be used at ``at``; on the mark it may."""
        return timedelta(0) <= at - self.quoted_at <= self.max_age


@dataclass(frozen=True, slots=True)
class FxRates:
    """All rates the house holds, by (base, quote), under one version. A pair stands in one direction only."""

    quotes: Mapping[tuple[str, str], FxQuote]
    version: UUID | None = None

    def between(self, base: str, quote: str) -> FxQuote | None:
        """The pair in whichever direction it is held."""
        return self.quotes.get((base, quote)) or self.quotes.get((quote, base))

    def currencies(self) -> frozenset[str]:
        """Every currency that stands in a pair."""
        return frozenset(currency for pair in self.quotes for currency in pair)


NO_RATES = FxRates({})


@dataclass(frozen=True, slots=True)
class FxPath:
    """How one currency becomes another: one quote, or two over a third currency. Empty for a currency and itself."""

    currency: str
    to: str
    legs: tuple[FxQuote, ...]

    def of(self, amount: Decimal) -> Decimal:
        """The amount in ``to``, not rounded. Divides last, so that an inverse costs no precision before it must."""
        have, divisor = self.currency, ONE
        for leg in self.legs:
            if leg.base == have:
                amount, have = amount * leg.rate, leg.quote
            else:
                divisor, have = divisor * leg.rate, leg.base
        return amount if divisor == ONE else amount / divisor

    @property
    def quoted_at(self) -> datetime | None:
        """When the oldest quote in it was made."""
        return min((leg.quoted_at for leg in self.legs), default=None)


def find_path(currency: str, to: str, rates: FxRates, *, at: datetime) -> FxPath:
    """The quotes to convert by: the pair itself when it is fresh, else the first fresh cross by the name of its middle.

    Raises Refused: FX_RATE_STALE when there are quotes but none fresh enough, FX_RATE_MISSING when there are none.
    """
    if currency == to:
        return FxPath(currency, to, ())
    direct = rates.between(currency, to)
    ways: list[tuple[FxQuote, ...]] = [(direct,)] if direct else []
    for middle in sorted(rates.currencies() - {currency, to}):
        first, second = rates.between(currency, middle), rates.between(middle, to)
        if first and second:
            ways.append((first, second))
    for legs in ways:
        if all(leg.is_good(at) for leg in legs):
            return FxPath(currency, to, legs)
    if not ways:
        raise Refused(
            "FX_RATE_MISSING",
            f"There is no rate between {currency} and {to}. Have it set, then try again.",
            {"currency": currency, "to": to},
        )
    oldest = min(leg.quoted_at for leg in ways[0])
    raise Refused(
        "FX_RATE_STALE",
        f"The rate between {currency} and {to} is of {oldest:%Y-%m-%d %H:%M:%S} UTC, older than its source stands for.",
        {"currency": currency, "to": to, "quoted_at": oldest},
    )


def convert(money: Money, to: str, rates: FxRates, *, at: datetime, rounding: Rounding = Rounding.HALF_EVEN) -> Money:
    """The worth of ``money`` in ``to`` at ``at``, rounded by name to the minor unit of ``to``.

    Raises Refused FX_RATE_MISSING, FX_RATE_STALE (see :func:`find_path`). A currency in itself comes back as it is.
    """
    if money.currency == to:
        return money
    return Money(round_as(find_path(money.currency, to, rates, at=at).of(money.amount), to, rounding), to)
