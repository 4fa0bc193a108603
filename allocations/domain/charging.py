"""What each account of a block is charged: by the schedules of its own class, on all it got of an order's day. Pure.

A block is a contract of its day for each account in it: what is owed is a function of the whole quantity and value the account got,
as one execution where a line is charged by execution. Where an order's day fell into several blocks (two settlement dates, two
capacities) an account that is in more than one pays for them together: what is charged now is what is owed for all of it, less what
the others have charged, so a minimum is paid once and whichever block is booked, or booked anew, first makes no difference.

Invariant: the account of the block and the firm's rounding and error accounts are charged nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from accounts.domain.fee_book import FeeScope, Selected, side_word
from accounts.domain.fees import Charge, charges
from kernel.fix import Side
from kernel.numbers import ZERO


class Earlier(NamedTuple):
    """What other blocks of the same order's day gave an account, and charged it by line."""

    qty: Decimal
    value: Decimal
    booked: Mapping[str, Decimal]


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


def scope_of(*, mic: str, isin: str, asset_class: str, side: Side, currency: str) -> FeeScope:
    """What decides the schedules of a block, but for the class of the account."""
    return FeeScope(mic, isin, asset_class, "", side_word(side), currency)
