"""Whether the account can pay for it, or owns it. Judged under the account's lock, so two orders cannot both."""

from __future__ import annotations

from kernel.numbers import spelt
from risk.domain.answers import CheckAnswer
from risk.domain.checks.base import Check
from risk.domain.exposure import cash_to_hold, stock_to_hold
from risk.domain.facts import Facts


class BuyingPower(Check):
    """A buy is covered by cash to trade (cash less what is reserved), fees, commissions and taxes included."""

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
                f"The order needs {currency} {spelt(needed)} and {spelt(available)} is available.",
                needed=needed,
                available=available,
                currency=currency,
            )
        return self.passed(needed=needed, available=available, currency=currency)


class FeesCovered(Check):
    """A fee schedule says what the trade costs, even if it says that nothing is charged; without one it is refused."""

    def answer(self, facts: Facts) -> CheckAnswer:
        if facts.charges.covered:
            return self.passed()
        return self.refuse(
            f"No commission schedule covers {facts.listing.symbol} on {facts.listing.mic} for account {facts.account.code} on "
            f"{facts.listing.business_date.isoformat()}; have one set, also where nothing is charged."
        )


class CurrencyHeld(Check):
    """An account trades in currencies it holds a balance in; in others it may only sell, and only when it is allowed to
    open one with the proceeds."""

    def answer(self, facts: Facts) -> CheckAnswer:
        if facts.cash_available is not None:
            return self.passed()
        account, currency = facts.account, facts.listing.currency
        if account.opens_currencies and not facts.terms.side.is_buy:
            return self.passed()
        return self.refuse(
            f"Account {account.code} holds no {currency}: deposit some first, or let it open a balance with what it sells.",
            currency=currency,
        )


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
                f"The account can sell {spelt(available)} of {facts.listing.symbol}, not {spelt(needed)}; enter the rest "
                "as a short sale of its own (side 5 or 6, with a locate).",
                needed=needed,
                available=available,
            )
        return self.passed(needed=needed, available=available)
