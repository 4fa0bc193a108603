"""What each account of a block is charged: by the schedules of its own class, on all it got of an order's day. Pure.

A block is a contract of its day for each account in it: what is owed is a function of the whole quantity and value the account got,
as one execution where a line is charged by execution. Where an order's day fell into several blocks (two settlement dates, two
capacities) an account that is in more than one pays for them together: what is charged now is what is owed for all of it, less what
the others have charged, so a minimum is paid once and whichever block is booked, or booked anew, first makes no difference.

Shares of equal size in accounts of equal class cost the same, so a :class:`Biller` works them out once for a block, all sizes of a class
in one go where they are known.

Invariant: the account of the block and the firm's rounding and error accounts are charged nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from accounts.domain.fee_book import Selected
from accounts.domain.fee_figures import Owed, owed_by
from accounts.domain.fees import Charge, charges
from allocations.domain.block import to_units
from kernel.errors import InvariantBroken
from kernel.numbers import ZERO, minor_unit, plain


class Earlier(NamedTuple):
    """What other blocks of the same order's day gave an account, and charged it by line."""

    qty: Decimal
    value: Decimal
    booked: Mapping[str, Decimal]


class Costs(NamedTuple):
    """What a share costs: ``fees`` is the sum of ``charges`` (a cost is positive), ``told`` the same lines as events keep them."""

    charges: tuple[Charge, ...]
    fees: Decimal
    told: tuple[tuple[str, str, int, str], ...]


FREE = Costs((), ZERO, ())


class Biller:
    """The charges of the shares of one block; ``selected`` is by class of account."""

    def __init__(self, selected: Mapping[str, Selected], currency: str) -> None:
        self.selected, self.currency = selected, currency
        self._unit = minor_unit(currency)
        self._known: dict[str, tuple[Owed, dict[tuple[Decimal, Decimal], Costs]]] = {
            name: (owed_by(one.terms, currency), {}) for name, one in selected.items()
        }

    def work_out(self, account_class: str, shares: Sequence[tuple[Decimal, Decimal]]) -> list[Costs]:
        """Of shares of one class, each (units, money without charges); they are remembered."""
        owed, known = self._known[account_class]
        units = [to_units(qty) for qty, _ in shares]
        values = [self._minor(gross) for _, gross in shares]
        found = [costs_of(lines) for lines in owed(units, values)]
        known.update(zip(shares, found, strict=True))
        return found

    def costs(self, account_class: str, qty: Decimal, gross: Decimal, earlier: Earlier | None = None) -> Costs:
        """Of a share of ``qty`` units whose money is ``gross``."""
        if earlier is not None:
            selected = self.selected[account_class]
            value = abs(gross)
            return costs_of(charges_of(selected, qty=qty, value=value, currency=self.currency, earlier=earlier))
        _, known = self._known[account_class]
        return known.get((qty, gross)) or self.work_out(account_class, [(qty, gross)])[0]

    def _minor(self, gross: Decimal) -> int:
        """Money in minor units, without its sign; InvariantBroken for what is no amount of money."""
        minor = abs(gross) / self._unit
        if minor != int(minor):
            raise InvariantBroken("MONEY_TOO_FINE", f"{gross} {self.currency} is no amount of money.")
        return int(minor)


def costs_of(owed: tuple[Charge, ...]) -> Costs:
    """Charges with their sum and as events tell them."""
    if not owed:
        return FREE
    told = tuple([(one.kind, one.name, one.version, plain(one.amount)) for one in owed])
    return Costs(owed, sum([one.amount for one in owed], ZERO), told)


def charges_of(
    selected: Selected, *, qty: Decimal, value: Decimal, currency: str, earlier: Earlier | None
) -> tuple[Charge, ...]:
    """What is charged now for ``qty`` units worth ``value`` (positive), by line; a line may give back."""
    if earlier is None:
        return tuple(charges(selected.terms, qty=qty, value=value, currency=currency))
    owed = {
        charge.name: charge
        for charge in charges(selected.terms, qty=qty + earlier.qty, value=value + earlier.value, currency=currency)
    }
    found = []
    for terms in selected.terms:
        due = owed[terms.name].amount if terms.name in owed else ZERO
        rest = due - earlier.booked.get(terms.name, ZERO)
        if rest:
            found.append(Charge(terms.kind.value, terms.name, terms.version, rest))
    return tuple(found)
