"""The rule of a corporate action's terms: what its figures mean for a position. Pure."""

from __future__ import annotations

from uuid import UUID

from accounts.domain.entitlement import DividendRule, Rule, SplitRule
from kernel.numbers import ZERO
from refdata.domain.action_terms import ActionKind, ActionTerms


def rule_of(terms: ActionTerms, instrument_id: UUID) -> Rule | None:
    """None where no account is moved: a new name changes nothing that anybody holds."""
    pay_date = terms.pay_date or terms.ex_date
    if terms.kind.is_split:
        new, old = terms.ratio
        return SplitRule(
            instrument_id=instrument_id,
            new=new,
            old=old,
            fractions=terms.fractions.value,
            fraction_px=terms.fraction_px,
            currency=terms.currency,
            ex_date=terms.ex_date,
            pay_date=pay_date,
        )
    if terms.kind is ActionKind.CASH_DIVIDEND:
        return DividendRule(instrument_id, terms.amount or ZERO, terms.currency, terms.ex_date, pay_date)
    return None
