"""Whether somebody has promised the units that are sold short."""

from __future__ import annotations

from kernel.numbers import ZERO, spelt
from risk.domain.answers import CheckAnswer
from risk.domain.checks.base import Check
from risk.domain.facts import Facts


class LocateCover(Check):
    """A short sale names a locate of its account and instrument that has not expired and of which enough is left: a locate
    is a quantity that is used up."""

    at_boundary = True

    def answer(self, facts: Facts) -> CheckAnswer:
        terms, locate, symbol = facts.terms, facts.locate, facts.listing.symbol
        if not terms.side.is_short or not terms.locate_ref.strip() or not facts.adds_risk:
            return self.passed()  # that one is named is another check's
        if locate is None:
            return self.refuse(f"Account {facts.account.code} has no locate {terms.locate_ref}.", ref=terms.locate_ref)
        if locate.instrument_id != facts.listing.instrument_id:
            return self.refuse(f"Locate {locate.ref} is not for {symbol}.", ref=locate.ref)
        if facts.at >= locate.expires_at:
            return self.refuse(
                f"Locate {locate.ref} has expired.", ref=locate.ref, expired_at=locate.expires_at.isoformat()
            )
        needed, working = terms.order_qty, facts.working
        grows = working is None or needed > working.order_qty
        if needed > locate.left and grows:
            return self.refuse(
                f"Of locate {locate.ref} {spelt(max(locate.left, ZERO))} of {symbol} are left, not {spelt(needed)}.",
                ref=locate.ref,
                needed=needed,
                left=locate.left,
            )
        return self.passed(ref=locate.ref, needed=needed, left=locate.left)
