"""What becomes of an instruction when its instrument becomes another number of shares, or takes another name, before it settles. Pure.

The market cancels what was instructed in old shares and instructs the open rest of it in new ones for the same money. Each instruction
is rounded on its own by the rule of the action, as the other side rounds its own: whole shares, and the part of one is money between
the two sides, or nothing. An action that is taken back turns what is open back.

What a custodian says under the old reference afterwards: units that changed hands before the ex date did so in old shares and count
there; on or after it exactly what is due in new shares, or all of it, is its own transformation and counts for the new instruction;
anything else may be either and is not guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.domain.settling import UNITS, Asked, Said, stand
from kernel.numbers import ZERO, round_money
from refdata.domain.action_terms import ActionKind, ActionTerms, Fractions

NEARLY = Fraction(1, 1_000_000)
_EIGHT = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Transformed:
    """New units of old ones, and what of a new share was cut off (below zero: added to make it whole)."""

    qty: Decimal
    cut: Fraction = Fraction(0)

    def money(self, terms: ActionTerms) -> Decimal:
        """What the part of a share is worth to who gets it; nothing where the action does not pay for it."""
        if terms.fractions is not Fractions.CASH or terms.fraction_px is None:
            return ZERO
        worth = self.cut * Fraction(terms.fraction_px)
        return round_money(Decimal(worth.numerator) / Decimal(worth.denominator), terms.currency)

    @property
    def cut_shown(self) -> Decimal:
        """As people read it: eight decimals."""
        return (Decimal(self.cut.numerator) / Decimal(self.cut.denominator)).quantize(_EIGHT)


def transforms(terms: ActionTerms) -> bool:
    """Whether what is instructed must be instructed anew: in other numbers, or under another ISIN."""
    return terms.kind.is_split or (terms.kind is ActionKind.NAME_CHANGE and bool(terms.new_isin))


def transformed(qty: Decimal, terms: ActionTerms) -> Transformed:
    """``qty`` old units, of either sign, in new ones."""
    if not terms.kind.is_split:
        return Transformed(qty)
    new, old = terms.ratio
    exact = abs(Fraction(qty)) * Fraction(new) / Fraction(old)
    if abs(exact - round(exact)) < NEARLY:
        exact = Fraction(round(exact))
    whole = exact.numerator // exact.denominator
    if terms.fractions is Fractions.UP and exact != whole:
        whole += 1
    sign = 1 if qty >= 0 else -1
    return Transformed(Decimal(sign * whole), sign * (exact - whole))


def turned_back(*, open_qty: Decimal, qty: Decimal, of_qty: Decimal) -> Decimal:
    """What is open of ``qty`` new units that were made of ``of_qty`` old ones, in old ones: exact for all of it, else whole shares."""
    if open_qty == qty:
        return of_qty
    exact = Fraction(of_qty) * Fraction(open_qty) / Fraction(qty)
    return Decimal(exact.numerator // exact.denominator)


def in_new_shares(
    asked: Asked, statuses: Sequence[Said], *, closed_at: datetime, since: datetime, qty: Decimal
) -> Collection[UUID]:
    """Which words about the old reference are about its ``qty`` new units. What had counted when it was closed stays where it is."""
    before = [said for said in statuses if said.received_at is not None and said.received_at <= closed_at]
    counted = {part.status_id for part in stand(replace(asked, canceled=False, transformed=None), before).parts}
    return {
        said.id
        for said in statuses
        if said.id not in counted
        and said.status in UNITS
        and said.effective_at >= since
        and (said.qty == qty or (said.qty is None and said.status == moves.SETTLED))
    }
