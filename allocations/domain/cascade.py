"""What a changed trade makes of an allocation that went straight to its account. Pure.

Nothing of it has settled: it is undone and told anew. Some of it has: it stands, and what is different is a line of its own,
dated today. Stock that is different is a trade of today, the other way where there is less; money alone (a corrected price, another
charge) is a line without stock, and a person is told the exact difference, because the client has settled for another.
What a venue states anew for a split is no change here: executions are in the shares of their day (ADR 0066).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from accounts.domain.fees import Charge
from kernel.numbers import ZERO

Named = Mapping[tuple[str, str, int], Decimal]


class Way(StrEnum):
    """How a change reaches an allocation."""

    NONE = "none"
    ANEW = "anew"
    UNDONE = "undone"
    COMPENSATED = "compensated"
    MONEY_ALONE = "money_alone"


@dataclass(frozen=True, slots=True)
class Figures:
    """Units (signed by the side of the block), money as the account sees it, and charges by (kind, name, version)."""

    qty: Decimal = ZERO
    gross: Decimal = ZERO
    charged: Named = field(default_factory=dict)

    @property
    def fees(self) -> Decimal:
        return sum(self.charged.values(), ZERO)


@dataclass(frozen=True, slots=True)
class Difference:
    """What there is to do and by how much; ``charges`` are those that are different, less of one is negative."""

    way: Way
    qty: Decimal = ZERO
    gross: Decimal = ZERO
    charges: tuple[Charge, ...] = ()


def figures_of(charges: Iterable[Charge], *, qty: Decimal, gross: Decimal) -> Figures:
    """Figures with charges of the same line added up."""
    charged: dict[tuple[str, str, int], Decimal] = {}
    for charge in charges:
        key = (charge.kind, charge.name, charge.version)
        charged[key] = charged.get(key, ZERO) + charge.amount
    return Figures(qty, gross, {key: amount for key, amount in charged.items() if amount})


def added(figures: Sequence[Figures]) -> Figures:
    """Of several lines together."""
    charges = [Charge(*key, amount) for one in figures for key, amount in one.charged.items()]
    return figures_of(
        charges, qty=sum((one.qty for one in figures), ZERO), gross=sum((one.gross for one in figures), ZERO)
    )


def difference(*, standing: Figures, now: Figures, settled: bool) -> Difference:
    """From what stands to what its executions are now."""
    if standing == now:
        return Difference(Way.NONE)
    qty, gross = now.qty - standing.qty, now.gross - standing.gross
    if not settled:
        return Difference(Way.ANEW if now.qty else Way.UNDONE)
    keys = sorted(standing.charged.keys() | now.charged.keys())
    moved = ((key, now.charged.get(key, ZERO) - standing.charged.get(key, ZERO)) for key in keys)
    charges = tuple(Charge(*key, amount) for key, amount in moved if amount)
    if not qty:
        return Difference(Way.MONEY_ALONE, ZERO, gross, charges)
    return Difference(Way.COMPENSATED, qty, gross, charges)
