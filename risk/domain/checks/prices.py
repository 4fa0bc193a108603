"""Whether there is a price to judge by, whether it may be trusted, and how old it is.

The age of a price is the silence of its feed while the market runs, not the time of the last trade. An order without a
limit is refused wherever the price cannot be used; one with a limit goes to a second person, who sees the previous
close. The marks come from the limit table: kind ``price_age`` (seconds). How far an order may be from it is ``collar``.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from kernel.fix import OrdType
from kernel.numbers import spelt
from refdata.domain.listing_facts import ListingFacts, PriceFacts
from refdata.domain.quality import Quality
from risk.domain.answers import CheckAnswer
from risk.domain.checks.base import Check
from risk.domain.checks.marks import tightest
from risk.domain.facts import Facts

PRICE_AGE = "price_age"
_BOUNDED = (OrdType.LIMIT, OrdType.STOP_LIMIT)


def price_age_s(listing: ListingFacts, at: datetime) -> Decimal | None:
    """Seconds since the feed last spoke; None without a price."""
    return Decimal(listing.price.age_s(at)) if listing.price is not None else None


def usable_price(facts: Facts) -> PriceFacts | None:
    """The price other checks may measure from: good, and not older than the hard mark while the market is open."""
    price = facts.listing.price
    if price is None or price.quality is not Quality.GOOD:
        return None
    marks = tightest(facts.limits, PRICE_AGE)
    if facts.listing.phase.is_open and (marks is None or price.age_s(facts.at) > marks.hard):
        return None
    return price


class ReferencePrice(Check):
    """There is a reference price: without one an order without a limit is refused, and one with a limit needs a second
    person, who sees the previous close; with neither, it is refused."""

    at_boundary = True

    def answer(self, facts: Facts) -> CheckAnswer:
        listing = facts.listing
        if not facts.adds_risk:
            return self.passed()
        if listing.price is None:
            return self.refuse(f"There is no reference price for {listing.symbol}.")
        marks = tightest(facts.limits, PRICE_AGE)
        if marks is None:
            return self.refuse("No mark is set for the age of a price.")
        age = Decimal(listing.price.age_s(facts.at))
        seen = {"age_s": age, "tick": listing.price.tick, "source": listing.price.source}
        withdrawn = listing.price.quality is Quality.MISSING
        if not withdrawn and (not listing.phase.is_open or age <= marks.hard):
            return self.passed(last=listing.price.last, **seen)
        if facts.terms.ord_type not in _BOUNDED:
            why = "is no longer quoted" if withdrawn else f"was last heard {spelt(age)} s ago"
            return self.refuse(f"The price of {listing.symbol} {why}, so no order without a limit is sent.", **seen)
        close = listing.price.previous_close
        if close is None:
            return self.refuse(f"There is neither a usable price nor a previous close for {listing.symbol}.", **seen)
        return self.hold(
            f"There is no usable price for {listing.symbol}; the previous close was {spelt(close)}.",
            previous_close=close,
            **seen,
        )


class PriceFreshness(Check):
    """While the market runs, the feed of the reference price speaks; after a silence the order needs a second person."""

    when_delayed = True

    def answer(self, facts: Facts) -> CheckAnswer:
        listing = facts.listing
        age = price_age_s(listing, facts.at)
        if age is None or not listing.phase.is_open:
            return self.passed(phase=listing.phase)
        marks = tightest(facts.limits, PRICE_AGE)
        if marks is None:
            return self.refuse("No mark is set for the age of a price.")
        mark = marks.warn if marks.warn is not None else marks.hard
        if age > mark and facts.adds_risk:
            return self.hold(
                f"The price of {listing.symbol} was last heard {spelt(age)} s ago (mark {spelt(mark)} s).",
                age_s=age,
                mark_s=mark,
            )
        return self.passed(age_s=age, mark_s=mark)


class PriceQuality(Check):
    """The latest price of the feed is not in doubt: while it is, an order without a limit is refused, and one with a
    limit needs a second person, who sees the last good price and what is doubted."""

    at_boundary = True

    def answer(self, facts: Facts) -> CheckAnswer:
        listing, price = facts.listing, facts.listing.price
        if price is None or price.quality is not Quality.SUSPECT or not facts.adds_risk:
            return self.passed()
        doubted = f"{spelt(price.doubted_last)} is doubted" if price.doubted_last is not None else "it is doubted"
        sentence = f"The price of {listing.symbol} is in doubt: {doubted}, the last good one was {spelt(price.last)}"
        seen = {
            "last": price.last,
            "doubted": price.doubted_last,
            "why": price.suspicion,
            "tick": price.tick,
            "source": price.source,
        }
        if facts.terms.ord_type not in _BOUNDED:
            return self.refuse(f"{sentence}; no order without a limit is sent.", **seen)
        return self.hold(f"{sentence}.", **seen)
