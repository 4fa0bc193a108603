"""Whether the market takes such an order now."""

from __future__ import annotations

from kernel.fix import OrdType, TimeInForce
from refdata.domain.sessions import Phase
from risk.domain.answers import CheckAnswer
from risk.domain.checks.base import Check
from risk.domain.facts import Facts

_NAMES = {
    TimeInForce.DAY: "day",
    TimeInForce.GTC: "good-till-cancel",
    TimeInForce.AT_OPEN: "at-the-open",
    TimeInForce.IOC: "immediate-or-cancel",
    TimeInForce.FOK: "fill-or-kill",
    TimeInForce.GTD: "good-till-date",
    TimeInForce.AT_CLOSE: "at-the-close",
}
_TYPES = {OrdType.MARKET: "market", OrdType.LIMIT: "limit", OrdType.STOP: "stop", OrdType.STOP_LIMIT: "stop-limit"}
_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)
_LASTING = (TimeInForce.GTC, TimeInForce.GTD)


class InstrumentActive(Check):
    """The instrument is active."""

    at_boundary = True

    def answer(self, facts: Facts) -> CheckAnswer:
        if facts.listing.instrument_active or not facts.adds_risk:
            return self.passed()
        return self.refuse(f"{facts.listing.symbol} is no longer active.", isin=facts.listing.isin)


class ListingState(Check):
    """The listing is trading: neither halted nor suspended."""

    at_boundary = True

    def answer(self, facts: Facts) -> CheckAnswer:
        state = facts.listing.state
        if state == "trading" or not facts.adds_risk:
            return self.passed(state=state)
        return self.refuse(f"{facts.listing.symbol} is {state} on {facts.listing.mic}.", state=state)


class MarketOrderTypes(Check):
    """The market takes this order type with this time in force."""

    def answer(self, facts: Facts) -> CheckAnswer:
        terms, listing = facts.terms, facts.listing
        if terms.ord_type not in listing.ord_types:
            return self.refuse(
                f"{listing.mic} takes no {_TYPES[terms.ord_type]} orders.", allowed=sorted(listing.ord_types)
            )
        if terms.time_in_force not in listing.times_in_force:
            return self.refuse(
                f"{listing.mic} takes no {_NAMES[terms.time_in_force]} orders.", allowed=sorted(listing.times_in_force)
            )
        return self.passed()


class MarketSession(Check):
    """The market can still trade the order under its time in force: immediate orders need a running market, day orders
    a session that has not closed, at-the-open orders one that has not opened; without a calendar nothing is sent."""

    at_boundary = True

    def answer(self, facts: Facts) -> CheckAnswer:
        listing, tif = facts.listing, facts.terms.time_in_force
        if listing.always_open:
            return self.passed(phase="always open")
        phase = listing.phase
        if listing.session_open_at is None or listing.session_close_at is None:
            return self.refuse(f"The calendar of {listing.mic} has no session for today or later.", phase=phase)
        if not facts.adds_risk:
            return self.passed(phase=phase)
        sentence = ""
        if phase is Phase.HOLIDAY and tif not in _LASTING:
            sentence = f"{listing.mic} is closed for a holiday."
        elif tif in _IMMEDIATE and phase is not Phase.CONTINUOUS:
            sentence = f"{listing.mic} is not trading continuously, so {_NAMES[tif]} orders cannot be sent."
        elif tif is TimeInForce.AT_OPEN and phase in (Phase.CONTINUOUS, Phase.CLOSING_AUCTION):
            sentence = f"{listing.mic} has already opened."
        elif phase is Phase.CLOSED and facts.at >= listing.session_close_at and tif not in _LASTING:
            sentence = f"{listing.mic} has closed for {listing.business_date:%-d %B}."
        if sentence:
            return self.refuse(sentence, phase=phase, opens_at=listing.session_open_at)
        return self.passed(phase=phase)


class ShortMarking(Check):
    """A short sale needs an account that may sell short and a locate."""

    def answer(self, facts: Facts) -> CheckAnswer:
        if not facts.terms.side.is_short:
            return self.passed()
        if not facts.account.short_allowed:
            return self.refuse(f"Account {facts.account.code} may not sell short.", account=facts.account.code)
        if not facts.terms.locate_ref.strip():
            return self.refuse("A short sale needs the reference of its locate.")
        return self.passed(locate_ref=facts.terms.locate_ref)
