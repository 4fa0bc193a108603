"""What an unsettled trade is owed, or owes, for a corporate action of its instrument. Pure.

Who traded before the ex date is entitled by the trade, settled or not (``accounts.domain.entitlement``); the issuer pays and changes
shares of whoever is on its register. What had not settled by the end of the record date therefore goes between the two sides of the
trade: money of a dividend as a claim, shares of a split by an instruction in new shares.

Invariant: of what had settled by then nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from kernel.numbers import ZERO, plain, round_money
from refdata.domain.action_terms import ActionTerms


@dataclass(frozen=True, slots=True)
class Settling:
    """An instruction: ``parts`` are the units that changed hands, by day; ``receives``: they come to us."""

    ref: str
    account: str
    receives: bool
    qty: Decimal
    parts: Sequence[tuple[date, Decimal]] = ()

    def left_after(self, day: date) -> Decimal:
        """What had not changed hands when the day was over."""
        return self.qty - sum((units for on, units in self.parts if on <= day), ZERO)


@dataclass(frozen=True, slots=True)
class MarketClaim:
    """``units`` of an instruction that were not settled in time; ``money`` or ``new_units`` they are owed (below zero: owe)."""

    ref: str
    account: str
    receives: bool
    units: Decimal
    money: Decimal = ZERO
    new_units: Decimal = ZERO

    def to_json(self) -> dict[str, str]:
        """As an anomaly shows it."""
        said = {"instruction": self.ref, "account": self.account, "units": plain(self.units)}
        return said | ({"money": plain(self.money)} if self.money else {"new_units": plain(self.new_units)})


def claims_of(terms: ActionTerms, settling: Iterable[Settling], *, by: date) -> list[MarketClaim]:
    """What each owes or is owed; ``by`` is the last day on which it had to be settled."""
    found = []
    for one in settling:
        left = one.left_after(by)
        if not left:
            continue
        sign = 1 if one.receives else -1
        if terms.is_paid:
            money = sign * round_money(left * (terms.amount or ZERO), terms.currency)
            found.append(MarketClaim(one.ref, one.account, one.receives, left, money=money))
        elif terms.kind.is_split:
            new, old = terms.ratio
            whole = Fraction(left) * Fraction(new) / Fraction(old)
            found.append(MarketClaim(one.ref, one.account, one.receives, left, new_units=sign * Decimal(int(whole))))
    return found
