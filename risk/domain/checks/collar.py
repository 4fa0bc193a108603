"""How far an order's limit is from the market. The marks belong to the asset class and the session phase.

Marks of the rulebook for class and phase come first (wider in an auction); where it has none, those of the firm in the
limit table (kind ``price_collar``, a fraction). A narrower scope's marks in the limit table only ever tighten them.
"""

from __future__ import annotations

from decimal import Decimal

from kernel.numbers import ZERO, spelt
from refdata.domain.listing_facts import PriceFacts
from risk.domain.answers import CheckAnswer
from risk.domain.checks.base import Check
from risk.domain.checks.marks import tightest
from risk.domain.facts import Facts, LimitFact

PRICE_COLLAR = "price_collar"
_SHOWN = Decimal("0.0001")


def marks_for(facts: Facts) -> tuple[Decimal | None, Decimal] | None:
    """(warn, hard) that hold for this request; None when no mark is set."""
    book = facts.conduct.rulebook
    entry = book.collar(facts.listing.asset_class, facts.listing.phase.value) if book is not None else None
    limits: list[LimitFact] = [limit for limit in facts.limits if limit.kind == PRICE_COLLAR]
    if entry is not None:
        limits = [limit for limit in limits if limit.scope != "firm"]
        limits.append(LimitFact(PRICE_COLLAR, "firm", "", "", entry.warn, entry.hard))
    marks = tightest(limits, PRICE_COLLAR)
    return (marks.warn, marks.hard) if marks is not None else None


def distance_of(price: Decimal, market: PriceFacts, *, buys: bool) -> Decimal:
    """The limit's distance from the last price, or how far it goes through the other side, whichever is more."""
    found = abs(price - market.last) / market.last
    quote = market.ask if buys else market.bid
    if quote is not None and quote > ZERO:
        through = (price - quote if buys else quote - price) / quote
        found = max(found, through)
    return found


class PriceCollar(Check):
    """The limit is near the market, by the marks of its asset class and session phase: further from the last price, or
    further through the other side, than the first mark needs the dealer's reason, further than the second is refused."""

    when_delayed = True

    def answer(self, facts: Facts) -> CheckAnswer:
        price = facts.terms.price
        if price is None:
            return self.passed()
        marks = marks_for(facts)
        if marks is None:
            return self.refuse("No mark is set for the distance from the last price.")
        warn, hard = marks
        reference = facts.listing.price
        if reference is None:
            return self.refuse(f"There is no reference price for {facts.listing.symbol}.")
        last = reference.last
        if last <= ZERO:
            return self.refuse(f"The reference price of {facts.listing.symbol} is {spelt(last)}.", last=last)
        distance = distance_of(price, reference, buys=facts.terms.side.is_buy)
        seen = {
            "price": price,
            "last": last,
            "distance": distance.quantize(_SHOWN),
            "warn": warn,
            "hard": hard,
            "phase": facts.listing.phase,
        }
        sentence = f"The limit {spelt(price)} is {distance:.1%} from the last price {spelt(last)}"
        if distance > abs(price - last) / last:
            quote = reference.ask if facts.terms.side.is_buy else reference.bid
            sentence = f"The limit {spelt(price)} goes {distance:.1%} through the other side at {spelt(quote or last)}"
        if distance > hard:
            return self.refuse(f"{sentence}; beyond {hard:.0%} no order is sent.", **seen)
        if warn is not None and distance > warn:
            return self.ask(f"{sentence}.", **seen)
        return self.passed(**seen)
