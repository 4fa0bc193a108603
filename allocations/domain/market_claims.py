"""What an unsettled trade is owed, or owes, for a corporate action of its instrument. Pure.

Who traded before the ex date is entitled by the trade, settled or not (``accounts.domain.entitlement``); the issuer pays and changes
shares of whoever is on its register. What had not settled in time therefore goes between the two sides of the trade. Of a dividend:
money on what had not settled by the end of the record date. Of a split: what is open is instructed in new shares
(``domain.transforming``) and the part of a share that this cuts off is money; what changed hands on or after the ex date in as many
old shares as were instructed lacks the new ones (or was too much, of a reverse split), and those are owed in shares.

Invariant: of what had settled in time nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from allocations.domain.transforming import transformed
from kernel.numbers import ZERO, plain, round_money
from refdata.domain.action_terms import ActionTerms

SHARES = ""
"""In the place of a currency: shares of the instrument are owed."""


@dataclass(frozen=True, slots=True)
class Settling:
    """An instruction: ``parts`` are the units that changed hands, by day; ``receives``: they come to us. ``made_of``: the old units
    that it is in new shares, None of one in the shares of its trade."""

    ref: str
    account: str
    receives: bool
    qty: Decimal
    parts: Sequence[tuple[date, Decimal]] = ()
    made_of: Decimal | None = None

    def left_after(self, day: date) -> Decimal:
        """What had not changed hands when the day was over."""
        return self.qty - sum((units for on, units in self.parts if on <= day), ZERO)

    def moved_after(self, day: date) -> Decimal:
        """What changed hands once the day was over."""
        return sum((units for on, units in self.parts if on > day), ZERO)


@dataclass(frozen=True, slots=True)
class MarketClaim:
    """``units`` of an instruction that it is about; ``amount`` of ``currency``, or of shares, they are owed (below zero: owe)."""

    ref: str
    account: str
    receives: bool
    units: Decimal
    amount: Decimal = ZERO
    currency: str = SHARES

    def to_json(self) -> dict[str, str]:
        """As an anomaly shows it."""
        said = {"instruction": self.ref, "account": self.account, "units": plain(self.units)}
        return said | ({"money": plain(self.amount)} if self.currency else {"new_units": plain(self.amount)})


def claims_of(terms: ActionTerms, settling: Iterable[Settling], *, by: date) -> list[MarketClaim]:
    """What each owes or is owed; ``by`` is the last day on which it had to be settled."""
    found = []
    for one in settling:
        claim = _of_dividend(terms, one, by) if terms.is_paid else _of_split(terms, one, by)
        if claim is not None and claim.amount:
            found.append(claim)
    return found


def _of_dividend(terms: ActionTerms, one: Settling, by: date) -> MarketClaim | None:
    left = one.left_after(by)
    money = round_money(left * (terms.amount or ZERO), terms.currency)
    return MarketClaim(one.ref, one.account, one.receives, left, _signed(one, money), terms.currency)


def _of_split(terms: ActionTerms, one: Settling, by: date) -> MarketClaim | None:
    if not terms.kind.is_split:
        return None
    if one.made_of is not None:
        made = transformed(one.made_of, terms)
        return MarketClaim(
            one.ref, one.account, one.receives, made.cut_shown, _signed(one, made.money(terms)), terms.currency
        )
    moved = one.moved_after(by)
    return MarketClaim(one.ref, one.account, one.receives, moved, _signed(one, transformed(moved, terms).qty - moved))


def _signed(one: Settling, owed: Decimal) -> Decimal:
    return owed if one.receives else -owed
