"""Whether the account can pay for it, or owns it. Judged under the account's lock, so two orders cannot both."""

from __future__ import annotations

from kernel.numbers import plain
from risk.domain.answers import CheckAnswer
from risk.domain.checks.base import Check
from risk.domain.exposure import cash_to_hold, stock_to_hold
from risk.domain.facts import Facts


class BuyingPower(Check):
    """A buy is covered by cash to trade (cash less what is reserved), fees included."""

    def answer(self, facts: Facts) -> CheckAnswer:
        if not facts.terms.side.is_buy:
            return self.passed()
        needed, currency = cash_to_hold(facts), facts.listing.currency
        if needed is None:
            return self.refuse("Without a price the cash needed cannot be judged.")
        available = facts.cash_available
        if available is None:
            return self.refuse(
                f"Account {facts.account.code} has no {currency} cash.", needed=needed, currency=currency
            )
        if needed > available:
            already = facts.working.reserved_cash if facts.working else None
            if already is not None and needed <= already:
                return self.passed(needed=needed, available=available, currency=currency)
            return self.refuse(
                f"The order needs {currency} {plain(needed)} and {plain(available)} is available.",
                needed=needed,
                available=available,
                currency=currency,
            )
        return self.passed(needed=needed, available=available, currency=currency)


class SellableHoldings(Check):
    """A sale is covered by what the account owns less its other open sells; what goes beyond is entered as a short
    sale of its own."""

    def answer(self, facts: Facts) -> CheckAnswer:
        needed = stock_to_hold(facts)
        if facts.terms.side.is_buy or facts.terms.side.is_short:
            return self.passed()
        available = facts.stock_available
        if available is None or available <= 0:
            return self.refuse(
                f"Account {facts.account.code} has no {facts.listing.symbol} to sell; what it does not own is entered as a "
                "short sale of its own (side 5 or 6, with a locate).",
                needed=needed,
                available=available,
            )
        if needed > available:
            already = facts.working.reserved_stock if facts.working else None
            if already is not None and needed <= already:
                return self.passed(needed=needed, available=available)
            return self.refuse(
                f"The account can sell {plain(available)} of {facts.listing.symbol}, not {plain(needed)}; enter the rest "
                "as a short sale of its own (side 5 or 6, with a locate).",
                needed=needed,
                available=available,
            )
        return self.passed(needed=needed, available=available)
