"""Whether the terms make sense for the listing: steps, lots, quantities, dates."""

from __future__ import annotations

from datetime import timedelta

from kernel.fix import OrdType, TimeInForce
from kernel.numbers import ZERO, spelt
from refdata.domain.tick_table import is_on_tick, tick_above, tick_below
from risk.domain.answers import CheckAnswer
from risk.domain.checks.base import Check
from risk.domain.facts import Facts


class PriceStep(Check):
    """Limit and stop price lie on the listing's price steps."""

    def answer(self, facts: Facts) -> CheckAnswer:
        listing = facts.listing
        if not listing.ticks:
            return self.refuse(f"No price steps are known for {listing.symbol}.")
        for name, px in (("price", facts.terms.price), ("stop price", facts.terms.stop_px)):
            if px is None or is_on_tick(listing.ticks, px):
                continue
            below, above = tick_below(listing.ticks, px), tick_above(listing.ticks, px)
            return self.refuse(
                f"The {name} {spelt(px)} is not on a price step; nearest are {spelt(below)} and {spelt(above)}.",
                price=px,
                below=below,
                above=above,
            )
        return self.passed()


class LotSize(Check):
    """The quantity is a whole number of lots."""

    def answer(self, facts: Facts) -> CheckAnswer:
        lot = facts.listing.lot_size
        if facts.terms.order_qty % lot == ZERO:
            return self.passed(lot_size=lot)
        return self.refuse(
            f"The quantity {spelt(facts.terms.order_qty)} is not a multiple of the lot {spelt(lot)}.", lot_size=lot
        )


class MinimumAndDisplayedQuantity(Check):
    """Minimum and displayed quantity are at most the order quantity, in whole lots, and not asked for together with
    an order that executes at once or not at all."""

    def answer(self, facts: Facts) -> CheckAnswer:
        terms = facts.terms
        if terms.min_qty is None and terms.max_floor is None:
            return self.passed()
        for name, qty in (("minimum", terms.min_qty), ("displayed", terms.max_floor)):
            if qty is None:
                continue
            if qty > terms.order_qty:
                return self.refuse(
                    f"The {name} quantity {spelt(qty)} is above the order quantity {spelt(terms.order_qty)}."
                )
            if qty % facts.listing.lot_size != ZERO:
                return self.refuse(
                    f"The {name} quantity {spelt(qty)} is not a multiple of the lot {spelt(facts.listing.lot_size)}."
                )
        if terms.time_in_force is TimeInForce.FOK and terms.min_qty is not None:
            return self.refuse("A fill-or-kill order already asks for all of it; leave the minimum quantity out.")
        if terms.max_floor is not None and terms.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            return self.refuse("An order that never rests shows nothing; leave the displayed quantity out.")
        if terms.min_qty is not None and terms.max_floor is not None and terms.min_qty > terms.max_floor:
            return self.refuse("The minimum quantity is above the displayed quantity.")
        return self.passed(min_qty=terms.min_qty, max_floor=terms.max_floor)


class ExpiryDate(Check):
    """A good-till-date order ends on a business date not yet past, or at a time still to come, at most a year ahead."""

    def answer(self, facts: Facts) -> CheckAnswer:
        terms = facts.terms
        if terms.time_in_force is not TimeInForce.GTD:
            return self.passed()
        if terms.expire_at is not None and terms.expire_at <= facts.at:
            return self.refuse(f"The order would end at {terms.expire_at:%Y-%m-%d %H:%M} UTC, which is past.")
        date = terms.expire_date or (terms.expire_at.date() if terms.expire_at else None)
        if date is None:
            return self.refuse("A good-till-date order needs the date it ends.")
        if date < facts.listing.business_date:
            return self.refuse(f"The order would end on {date:%-d %B %Y}, which is past.", expire_date=date)
        if (date - facts.listing.business_date).days > 366:
            return self.refuse(f"The order would end on {date:%-d %B %Y}, more than a year ahead.", expire_date=date)
        return self.passed(expire_date=date)


class StopPrice(Check):
    """A stop waits on the far side of the market, above it for a buy and below it for a sell, and a stop-limit's limit
    is at or beyond its stop."""

    def answer(self, facts: Facts) -> CheckAnswer:
        terms = facts.terms
        stop = terms.stop_px
        if terms.ord_type not in (OrdType.STOP, OrdType.STOP_LIMIT) or stop is None:
            return self.passed()
        buys = terms.side.is_buy
        if terms.ord_type is OrdType.STOP_LIMIT and terms.price is not None:
            if buys and terms.price < stop:
                return self.refuse(
                    f"The limit {spelt(terms.price)} is below the stop {spelt(stop)}: it could never buy."
                )
            if not buys and terms.price > stop:
                return self.refuse(
                    f"The limit {spelt(terms.price)} is above the stop {spelt(stop)}: it could never sell."
                )
        last = facts.listing.price.last if facts.listing.price else None
        if last is not None and (stop <= last if buys else stop >= last):
            return self.ask(
                f"The stop {spelt(stop)} is already {'at or below' if buys else 'at or above'} the last price "
                f"{spelt(last)}: it would trigger at once.",
                stop_px=stop,
                last=last,
            )
        return self.passed(stop_px=stop, last=last)


class QuantityAboveExecuted(Check):
    """A replace asks for more than has already traded, unless the venue reads less as a request to stop where it is."""

    def answer(self, facts: Facts) -> CheckAnswer:
        working = facts.working
        if working is None:
            return self.passed()
        asked, cum_qty = facts.terms.order_qty, working.cum_qty
        if asked > cum_qty:
            return self.passed(cum_qty=cum_qty)
        if working.rules.below_executed_stops and cum_qty < working.order_qty:
            return self.passed(cum_qty=cum_qty, stops=True)
        return self.refuse(
            f"{spelt(cum_qty)} have already traded; ask for more than that, or cancel the rest.", cum_qty=cum_qty
        )


class ReplaceOutstanding(Check):
    """No more replaces of an order are unanswered at once than its venue takes."""

    def answer(self, facts: Facts) -> CheckAnswer:
        working = facts.working
        if working is None:
            return self.passed()
        most, flying = working.rules.max_outstanding, working.replaces_open
        if flying < most:
            return self.passed(outstanding=flying, most=most)
        if most == 0:
            return self.refuse(
                "The venue takes no replaces: cancel the order and, once that is proven, enter a new one, or ask for both at once.",
                most=most,
            )
        unanswered = "the last replace" if flying == 1 else f"{flying} replaces"
        return self.refuse(
            f"The venue has not answered {unanswered} of this order yet and takes {most} at a time; wait for its answer.",
            outstanding=flying,
            most=most,
        )


_FIELD_WORDS = {
    "order_qty": "quantity",
    "price": "price",
    "stop_px": "stop price",
    "time_in_force": "time in force",
    "expire_at": "end time",
    "expire_date": "end date",
    "min_qty": "minimum quantity",
    "max_floor": "displayed quantity",
}


class FieldNotReplaceable(Check):
    """A replace changes only what the order's venue lets a replace change."""

    def answer(self, facts: Facts) -> CheckAnswer:
        working = facts.working
        if working is None:
            return self.passed()
        fixed = sorted(working.changed - working.rules.replaceable)
        if not fixed:
            return self.passed()
        words = " and ".join(_FIELD_WORDS[name] for name in fixed)
        return self.refuse(
            f"The venue does not let a replace change the {words}: cancel the order and, once that is proven, enter a "
            "new one, or ask for both at once.",
            fields=fixed,
        )


class ReplaceTooSoon(Check):
    """Replaces of an order keep the distance in time, and the number in a minute, that its venue asks for; a cancel
    is never held back for it."""

    def answer(self, facts: Facts) -> CheckAnswer:
        working = facts.working
        if working is None:
            return self.passed()
        rules, told = working.rules, working.told_at
        if rules.min_interval_ms and told:
            free_at = max(told) + timedelta(milliseconds=rules.min_interval_ms)
            if facts.at < free_at:
                return self.refuse(
                    f"The venue asks for {rules.min_interval_ms} ms between two messages about an order; wait until "
                    f"{free_at:%H:%M:%S.%f} UTC, or cancel.",
                    free_at=free_at,
                )
        recent = sorted(item for item in told if item > facts.at - timedelta(minutes=1))
        if rules.max_a_minute and len(recent) >= rules.max_a_minute:
            free_at = recent[-rules.max_a_minute] + timedelta(minutes=1)
            return self.refuse(
                f"The venue takes {rules.max_a_minute} messages a minute about an order; wait until "
                f"{free_at:%H:%M:%S} UTC, or cancel.",
                free_at=free_at,
            )
        return self.passed()
