"""Whether there is a price to judge by, how old it is, and how far the order is from it.

The age of a price is the age of its feed while the market runs, not of the last trade. The marks come from the limit
table: kinds ``price_age`` (seconds) and ``price_collar`` (fraction of the last price).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from kernel.fix import OrdType
from kernel.numbers import plain
from refdata.domain.listing_facts import ListingFacts
from risk.domain.answers import CheckAnswer
from risk.domain.checks.base import Check
from risk.domain.checks.marks import tightest
from risk.domain.facts import Facts

PRICE_AGE = "price_age"
PRICE_COLLAR = "price_collar"


def price_age_s(listing: ListingFacts, at: datetime) -> Decimal | None:
    """Seconds since the feed last spoke; None without a price."""
    if listing.price is None:
        return None
    return Decimal(max(int((at - listing.price.priced_at).total_seconds()), 0))


class ReferencePrice(Check):
    """There is a reference price: without one a market or stop order is refused, and a limit order needs a second
    person, who sees the previous close; with neither, it is refused."""

    def answer(self, facts: Facts) -> CheckAnswer:
        listing = facts.listing
        if listing.price is None:
            return self.refuse(f"There is no reference price for {listing.symbol}.")
        marks = tightest(facts.limits, PRICE_AGE)
        age = price_age_s(listing, facts.at)
        if marks is None or age is None:
            return self.refuse("No mark is set for the age of a price.")
        if not listing.phase.is_open or age <= marks.hard:
            return self.passed(last=listing.price.last, age_s=age)
        if facts.terms.ord_type in (OrdType.MARKET, OrdType.STOP):
            return self.refuse(
                f"The last price of {listing.symbol} is {plain(age)} s old, too old for an order without a limit.",
                age_s=age,
            )
        close = listing.price.previous_close
        if close is None:
            return self.refuse(f"There is neither a usable price nor a previous close for {listing.symbol}.", age_s=age)
        return self.hold(
            f"There is no usable price for {listing.symbol}; the previous close was {plain(close)}.",
            age_s=age,
            previous_close=close,
        )


class PriceFreshness(Check):
    """While the market runs, the reference price is fresh; a stale one needs a second person."""

    def answer(self, facts: Facts) -> CheckAnswer:
        listing = facts.listing
        age = price_age_s(listing, facts.at)
        if age is None or not listing.phase.is_open:
            return self.passed(phase=listing.phase)
        marks = tightest(facts.limits, PRICE_AGE)
        if marks is None:
            return self.refuse("No mark is set for the age of a price.")
        mark = marks.warn if marks.warn is not None else marks.hard
        if age > mark:
            return self.hold(
                f"The last price of {listing.symbol} is {plain(age)} s old (mark {plain(mark)} s).",
                age_s=age,
                mark_s=mark,
            )
        return self.passed(age_s=age, mark_s=mark)


class PriceCollar(Check):
    """The limit is near the last price: further than the first mark needs the dealer's reason, further than the second
    is refused."""

    def answer(self, facts: Facts) -> CheckAnswer:
        price = facts.terms.price
        if price is None:
            return self.passed()
        marks = tightest(facts.limits, PRICE_COLLAR)
        if marks is None:
            return self.refuse("No mark is set for the distance from the last price.")
        reference = facts.listing.price
        if reference is None:
            return self.refuse(f"There is no reference price for {facts.listing.symbol}.")
        last = reference.last
        if last <= 0:
            return self.refuse(f"The reference price of {facts.listing.symbol} is {plain(last)}.", last=last)
        distance = abs(price - last) / last
        seen = {"price": price, "last": last, "distance": distance.quantize(Decimal("0.0001"))}
        sentence = f"The limit {plain(price)} is {distance:.1%} from the last price {plain(last)}"
        if distance > marks.hard:
            return self.refuse(f"{sentence}; beyond {marks.hard:.0%} no order is sent.", **seen)
        if marks.warn is not None and distance > marks.warn:
            return self.ask(f"{sentence}.", **seen)
        return self.passed(**seen)
