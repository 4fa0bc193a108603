"""Whether trading is on at all, for this operator and this account."""

from __future__ import annotations

from kernel.fix import Side
from kernel.texts import utc_text
from risk.domain.answers import CheckAnswer
from risk.domain.checks.base import Check
from risk.domain.facts import Action, Facts
from risk.domain.stops import NEW_ALONE

RESTRICTED_SOURCE = "restricted"


class TradingSwitchedOn(Check):
    """Nothing that adds risk is sent unless trading is switched on."""

    at_boundary = True

    def answer(self, facts: Facts) -> CheckAnswer:
        if facts.trading_on or not facts.adds_risk:
            return self.passed()
        return self.refuse("Trading is switched off.")


class NoStandingBlock(Check):
    """Nothing that adds risk is sent while a block stands on the firm, desk, dealer, client, account, strategy,
    instrument or venue of the order, or on its account in its instrument; a block of new orders lets replaces pass, and a gate of
    the start of day lets pass what two people have opened it for."""

    at_boundary = True

    def answer(self, facts: Facts) -> CheckAnswer:
        if not facts.blocks or not facts.adds_risk:
            return self.passed()
        new = facts.action is Action.NEW
        standing = [block for block in facts.blocks if new or not block.source.endswith(NEW_ALONE)]
        if not standing:
            return self.passed()
        opened = [block.waiver_for(facts.account.account_id, facts.at) for block in standing]
        standing = [block for block, waiver in zip(standing, opened, strict=True) if waiver is None]
        if not standing:
            return self.passed(opened_by=[f"{one.id} until {utc_text(one.until)}" for one in opened if one is not None])
        sources = [block.source for block in standing]
        if RESTRICTED_SOURCE in sources:
            return self.refuse("This instrument is restricted, contact compliance.")
        first = standing[0]
        return self.refuse(f"Blocked ({first.scope}): {first.reason}", sources=sources)


class OperatorPermission(Check):
    """The operator may enter orders, for the account's desk and for its account group."""

    def answer(self, facts: Facts) -> CheckAnswer:
        operator = facts.operator
        if not operator.may_enter:
            return self.refuse("Your role may not enter orders.")
        if not operator.trades_desk:
            return self.refuse("You may not enter orders on this account's desk.")
        if not operator.trades_group:
            return self.refuse(
                f"You may not enter orders for account {facts.account.code}.", account=facts.account.code
            )
        return self.passed()


class ServiceSendRight(Check):
    """A service account sends orders only when it was given that right."""

    def answer(self, facts: Facts) -> CheckAnswer:
        if facts.operator.is_service and not facts.operator.may_send:
            return self.refuse("This service account has no right to send orders.")
        return self.passed()


class AccountOverdrawn(Check):
    """An account with an overdrawn balance takes no new risk: until it is covered it may only sell what it holds."""

    at_boundary = True

    def answer(self, facts: Facts) -> CheckAnswer:
        account = facts.account
        if not account.overdrawn or not facts.adds_risk or facts.terms.side is Side.SELL:
            return self.passed()
        return self.refuse(
            f"Account {account.code} is overdrawn by a fact from a venue; until it is covered it may only sell what it "
            "holds.",
            account=account.code,
        )


class AccountState(Check):
    """The account is active; a reduce-only account may sell what it holds; its client is active."""

    at_boundary = True

    def answer(self, facts: Facts) -> CheckAnswer:
        account = facts.account
        if not facts.adds_risk:
            return self.passed()
        if not account.client_active:
            return self.refuse(f"The client of account {account.code} is not active.", account=account.code)
        if account.state == "active":
            return self.passed()
        if account.state == "reduce_only":
            if facts.terms.side is Side.SELL:
                return self.passed(state=account.state)
            return self.refuse(f"Account {account.code} may only sell what it holds.", state=account.state)
        return self.refuse(f"Account {account.code} is {account.state}.", state=account.state)
